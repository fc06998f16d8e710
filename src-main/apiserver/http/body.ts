// Reading request bodies: limited in size, JSON or YAML by Content-Type.

import type { IncomingMessage } from 'node:http';
import { parse as parseYaml } from 'yaml';
import type { PatchType } from '../../client';
import { messageOf } from '../../kit';
import { decodeProtobuf, protobufMediaType } from './protobuf-body';
import { badRequest, tooLargeBody, unsupportedMediaType } from '../status/errors';

export const bodyLimit = 3 * 1024 * 1024;

const patchTypes: Readonly<Record<string, PatchType>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
};

/** The whole body; 413 when it is over the limit. */
export function readBody(request: IncomingMessage): Promise<Buffer> {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > bodyLimit) {
    request.resume();
    return Promise.reject(tooLargeBody(bodyLimit));
  }
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > bodyLimit) {
        request.removeAllListeners('data');
        request.resume();
        reject(tooLargeBody(bodyLimit));
      } else chunks.push(chunk);
    });
    request.on('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
    request.on('error', reject);
    request.on('aborted', () => reject(badRequest('the client went away while sending the body')));
  });
}

function mediaType(request: IncomingMessage): string {
  const header = request.headers['content-type'] ?? 'application/json';
  const end = header.indexOf(';');
  return (end < 0 ? header : header.slice(0, end)).trim().toLowerCase();
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw badRequest(`error decoding the body as JSON: ${messageOf(error)}`);
  }
}

function parseYamlBody(body: Buffer): unknown {
  try {
    return parseYaml(body.toString('utf8'), { maxAliasCount: 100 });
  } catch (error) {
    throw badRequest(`error decoding the body as YAML: ${messageOf(error)}`);
  }
}

/** The object in a request's body; 415 for a format that is not spoken. */
export async function readObject(request: IncomingMessage): Promise<unknown> {
  const type = mediaType(request);
  const yaml = type === 'application/yaml' || type === 'text/yaml' || type === 'application/x-yaml';
  const protobuf = type === protobufMediaType;
  if (!yaml && !protobuf && type !== 'application/json' && type !== '') {
    request.resume();
    throw unsupportedMediaType(['application/json', 'application/yaml', protobufMediaType]);
  }
  const body = await readBody(request);
  if (protobuf) return decodeProtobuf(body);
  return yaml ? parseYamlBody(body) : parseJson(body);
}

/** The same, or undefined when there is no body. */
export async function readOptionalObject(request: IncomingMessage): Promise<unknown> {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  if (!encoding && (length === undefined || length === '0')) return undefined;
  const type = mediaType(request);
  const body = await readBody(request);
  if (body.length === 0) return undefined;
  if (type === protobufMediaType) return decodeProtobuf(body);
  return type.endsWith('yaml') ? parseYamlBody(body) : parseJson(body);
}

export async function readPatch(request: IncomingMessage): Promise<{ type: PatchType; body: unknown }> {
  const type = patchTypes[mediaType(request)];
  if (!type) {
    request.resume();
    throw unsupportedMediaType(Object.keys(patchTypes));
  }
  return { type, body: parseJson(await readBody(request)) };
}

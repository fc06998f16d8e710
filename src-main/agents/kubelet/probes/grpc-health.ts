// Asks a server for its health by the gRPC health checking protocol (grpc.health.v1.Health/Check) over plain HTTP/2. Its
// two messages have one field each, so they are written and read here by hand instead of with a library.

import { constants, connect } from 'node:http2';
import { messageOf } from '../../../kit';
import type { ProbeResult } from './probe-worker';

export interface GrpcHealthRequest {
  host: string;
  port: number;
  /** Empty = the server as a whole. */
  service: string;
  timeoutMs: number;
}

const path = '/grpc.health.v1.Health/Check';
const statusNames = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];
const serving = 1;
const unimplemented = 12;
const deadlineExceeded = 4;
const prefixBytes = 5;
/** A health answer has two bytes; who sends this much is no health service. */
const maxAnswerBytes = 4096;

/** Numbers below 2^31 in protobuf's base 128 form, least significant group first. */
function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}

/** HealthCheckRequest{service = 1: string} behind gRPC's prefix: not compressed, length. */
export function encodeRequest(service: string): Buffer {
  const name = Buffer.from(service, 'utf8');
  const message = name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a, ...varint(name.length)]), name]);
  const prefix = Buffer.alloc(prefixBytes);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** The status of HealthCheckResponse{status = 1: enum}; undefined when the bytes are no whole such answer. */
export function decodeStatus(bytes: Buffer): number | undefined {
  if (bytes.length < prefixBytes || bytes[0] !== 0) return undefined;
  const message = bytes.subarray(prefixBytes, prefixBytes + bytes.readUInt32BE(1));
  if (message.length < bytes.readUInt32BE(1)) return undefined;
  // The default value of a field is not sent.
  if (message.length === 0) return 0;
  let value = 0;
  for (const [index, byte] of message.subarray(1, 5).entries()) {
    value |= (byte & 0x7f) << (7 * index);
    if (byte < 0x80) return message[0] === 0x08 ? value : undefined;
  }
  return undefined;
}

/** gRPC percent-encodes its messages; a peer that does not must still be shown. */
function readable(message: string): string {
  try {
    return decodeURIComponent(message);
  } catch (error) {
    return error instanceof URIError ? message : messageOf(error);
  }
}

function verdictOf(answer: { status: string; message: string; body: Buffer }, timeoutMs: number): ProbeResult {
  const code = Number(answer.status);
  const failed = (output: string) => ({ ok: false, output });
  if (answer.status === '') return failed('error: health rpc probe failed: the server did not answer as gRPC does');
  if (code === unimplemented) {
    const what = 'error: this server does not implement the grpc health protocol (grpc.health.v1.Health)';
    return failed(`${what}: ${readable(answer.message)}`);
  }
  if (code === deadlineExceeded) return failed(`timeout: health rpc did not complete within ${timeoutMs / 1000}s`);
  if (code !== 0) return failed(`error: health rpc probe failed: code = ${code} desc = ${readable(answer.message)}`);
  const status = decodeStatus(answer.body);
  if (status === undefined) return failed('error: health rpc probe failed: the answer is no HealthCheckResponse');
  if (status === serving) return { ok: true, output: '' };
  return failed(`service unhealthy (responded with "${statusNames[status] ?? status}")`);
}

/** Never rejects: what goes wrong is the result. */
export function checkGrpcHealth(request: GrpcHealthRequest): Promise<ProbeResult> {
  const { host, port, service, timeoutMs } = request;
  const address = `${host}:${port}`;
  return new Promise((resolve) => {
    const session = connect(`http://${address}`);
    let connected = false;
    const done = (result: ProbeResult) => {
      clearTimeout(timer);
      resolve(result);
      session.destroy();
    };
    const timer = setTimeout(() => {
      const within = `within ${timeoutMs / 1000}s`;
      const what = connected
        ? `timeout: health rpc did not complete ${within}`
        : `timeout: failed to connect service "${address}" ${within}`;
      done({ ok: false, output: what });
    }, timeoutMs);
    const broken = (error: Error) => {
      const what = connected ? 'error: health rpc probe failed' : `error: failed to connect service at "${address}"`;
      done({ ok: false, output: `${what}: ${messageOf(error)}` });
    };
    session.on('error', broken);
    session.once('remoteSettings', () => {
      connected = true;
    });
    const stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_PATH]: path,
      'content-type': 'application/grpc',
      te: 'trailers',
      'grpc-timeout': `${Math.max(1, Math.ceil(timeoutMs))}m`,
      'user-agent': 'kube-probe/1.36',
    });
    const answer = { status: '', message: '', body: Buffer.alloc(0) };
    // The verdict is among the trailers, or in the head of an answer that has nothing else.
    const note = (headers: Record<string, string | string[] | number | undefined>) => {
      answer.status = String(headers['grpc-status'] ?? answer.status);
      answer.message = String(headers['grpc-message'] ?? answer.message);
    };
    stream.on('error', broken);
    stream.on('response', note);
    stream.on('trailers', note);
    stream.on('data', (chunk: Buffer) => {
      answer.body = Buffer.concat([answer.body, chunk]);
      if (answer.body.length > maxAnswerBytes) stream.destroy(new Error('the answer is too long'));
    });
    stream.once('close', () => done(verdictOf(answer, timeoutMs)));
    stream.end(encodeRequest(service));
  });
}

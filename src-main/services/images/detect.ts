// Telling what a tar file is by looking into it: an archive of `docker save` (manifest.json), an OCI layout
// (index.json and oci-layout), or a root filesystem (anything else). Gzip is seen by its first bytes.

import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { messageOf, PilothouseError } from '../../kit';

export interface ImageArchive {
  kind: 'docker' | 'oci' | 'rootfs';
  /** Repository:tag names inside, when it says. */
  names: string[];
}

interface ManifestEntry {
  RepoTags?: string[] | null;
}

const maxManifestBytes = 4 * 1024 * 1024;

/** Error IMAGE_INVALID (details.field "source") when it is no tar. */
export async function detectArchive(path: string): Promise<ImageArchive> {
  const entries = new Set<string>();
  let manifest: string | undefined;
  let entryCount = 0;
  const reader = extract();
  reader.on('entry', (header, stream, next) => {
    entryCount++;
    const name = header.name.replace(/^\.\//, '');
    if (name === 'manifest.json' || name === 'index.json' || name === 'oci-layout') entries.add(name);
    if (name !== 'manifest.json') {
      stream.on('end', next);
      stream.resume();
      return;
    }
    const chunks: Buffer[] = [];
    let bytes = 0;
    stream.on('data', (data) => {
      const chunk = data as Buffer;
      bytes += chunk.length;
      if (bytes <= maxManifestBytes) chunks.push(chunk);
    });
    stream.on('end', () => {
      manifest = Buffer.concat(chunks).toString('utf8');
      next();
    });
  });
  try {
    const source = createReadStream(path);
    if (await isGzip(path)) await pipeline(source, createGunzip(), reader);
    else await pipeline(source, reader);
  } catch (error) {
    throw notAnArchive(path, messageOf(error));
  }
  if (entryCount === 0) throw notAnArchive(path, 'it has no entries');
  if (manifest !== undefined) return { kind: 'docker', names: namesIn(manifest, path) };
  if (entries.has('oci-layout') && entries.has('index.json')) return { kind: 'oci', names: [] };
  return { kind: 'rootfs', names: [] };
}

function namesIn(manifest: string, path: string): string[] {
  try {
    const entries = JSON.parse(manifest) as ManifestEntry[];
    return entries.flatMap((entry) => entry.RepoTags ?? []);
  } catch (error) {
    throw notAnArchive(path, `its manifest.json cannot be read: ${messageOf(error)}`);
  }
}

async function isGzip(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  } finally {
    await file.close();
  }
}

function notAnArchive(path: string, reason: string): PilothouseError {
  return new PilothouseError({
    code: 'IMAGE_INVALID',
    message: `source: ${path} is not an image archive: ${reason}`,
    hint: 'Allowed: a tar made by `docker save`, or a tar of a root filesystem together with a name.',
    details: { field: 'source' },
  });
}

import { createWriteStream } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../kit';
import type { SshSession } from '../../machines';
import { detectArchive } from './detect';
import { checkImageName } from './image-name';
import { createImageLoader } from './loader';
import { Uploads } from './uploads';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pilothouse-images-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function tar(entries: Record<string, string>, options: { gzip?: boolean } = {}): Promise<string> {
  const path = join(directory, `${Object.keys(entries).length}${options.gzip ? '.gz' : ''}.tar`);
  const packing = pack();
  for (const [name, content] of Object.entries(entries)) packing.entry({ name }, content);
  packing.finalize();
  if (options.gzip) await pipeline(packing, createGzip(), createWriteStream(path));
  else await pipeline(packing, createWriteStream(path));
  return path;
}

const manifest = JSON.stringify([{ Config: 'c.json', RepoTags: ['web:1'], Layers: [] }]);

describe('detectArchive', () => {
  it('knows docker save, OCI and root filesystems, packed or not', async () => {
    const docker = { 'layer.tar': 'x', 'manifest.json': manifest };
    expect(await detectArchive(await tar(docker))).toEqual({ kind: 'docker', names: ['web:1'] });
    expect(await detectArchive(await tar(docker, { gzip: true }))).toEqual({ kind: 'docker', names: ['web:1'] });
    const oci = { 'oci-layout': '{}', 'index.json': '{}', 'blobs/x': '' };
    expect((await detectArchive(await tar(oci))).kind).toBe('oci');
    expect((await detectArchive(await tar({ './bin/busybox': 'x' }))).kind).toBe('rootfs');
  });

  it('refuses what is no tar', async () => {
    const path = join(directory, 'x.tar');
    await writeFile(path, 'not a tar at all'.repeat(100));
    await expect(detectArchive(path)).rejects.toMatchObject({ code: 'IMAGE_INVALID', details: { field: 'source' } });
  });
});

describe('loading', () => {
  const commands: string[] = [];
  const target = (name: string, failure?: Error) => ({
    name,
    connect: async () =>
      ({
        run: async (command: string) => {
          if (failure) throw failure;
          commands.push(command);
          return { exitCode: 0, stdout: '', stderr: '' };
        },
        dispose: () => undefined,
      }) as unknown as SshSession,
  });
  const load = () => createImageLoader({ temporaryDirectory: directory, logger: silentLogger });
  beforeEach(() => void commands.splice(0));

  it('loads into every node and tells of those that failed', async () => {
    const source = await tar({ 'manifest.json': manifest });
    const result = await load()({ source }, [target('a-1'), target('a-2', new Error('no SSH'))]);
    expect(result).toEqual({
      image: 'web:1',
      nodes: [
        { name: 'a-1', loaded: true },
        { name: 'a-2', loaded: false, failure: 'no SSH' },
      ],
    });
    expect(commands).toEqual(['docker load']);
  });

  it('imports a root filesystem under its name, and asks for one', async () => {
    const source = await tar({ 'bin/busybox': 'x' });
    await load()({ source, name: 'box' }, [target('a-1')]);
    expect(commands).toEqual(["docker import - 'box:latest'"]);
    await expect(load()({ source }, [target('a-1')])).rejects.toMatchObject({ details: { field: 'name' } });
  });

  it.each([
    ['a missing file', { source: '/nowhere/x.tar' }, 'IMAGE_NOT_FOUND'],
    ['what is neither', { source: 'Not An Image' }, 'IMAGE_INVALID'],
    ['a wrong name', { source: 'x', name: 'A B' }, 'IMAGE_INVALID'],
  ])('refuses %s', async (_, request, code) => {
    await expect(load()(request, [target('a-1')])).rejects.toMatchObject({ code });
  });
});

describe('uploads', () => {
  it('puts pieces together in order and removes what is too large', async () => {
    const uploads = new Uploads({ directory: join(directory, 'up'), maxBytes: 8 });
    await uploads.clean();
    const upload = '8c5f4a8e-53a0-4d7f-8d2a-1d4ed1f8f1aa';
    const chunk = (text: string) => Buffer.from(text).toString('base64');
    const [first, path] = await Promise.all([
      uploads.add({ upload, chunk: chunk('abc'), last: false }),
      uploads.add({ upload, chunk: chunk('def'), last: true }),
    ]);
    expect(first).toBeUndefined();
    expect(await readFile(path!, 'utf8')).toBe('abcdef');
    await uploads.remove(path!);
    await uploads.add({ upload, chunk: chunk('12345678'), last: false });
    const more = uploads.add({ upload, chunk: chunk('9'), last: true });
    await expect(more).rejects.toMatchObject({ code: 'UPLOAD_TOO_LARGE' });
    expect(await readdir(join(directory, 'up'))).toEqual([]);
  });
});

it('checks image names', () => {
  expect(checkImageName('web')).toBe('web:latest');
  expect(checkImageName('example.org:5000/team/web:1.0')).toBe('example.org:5000/team/web:1.0');
  expect(() => checkImageName("web'; rm -rf /")).toThrow(/not the name/);
});

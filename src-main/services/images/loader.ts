// Loading an image into every node of a cluster: over SSH into the node's own Docker, so that no registry and no
// internet is needed. One node's failure does not keep the others from having it.

import { createReadStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import type { ImageLoadRequest, ImageLoadResult } from '../../contract';
import { type Logger, messageOf, PilothouseError } from '../../kit';
import type { SshSession } from '../../machines';
import { isMissing } from '../files';
import { detectArchive } from './detect';
import { saveFromDocker } from './docker-save';
import { checkImageName } from './image-name';

export interface ImageTarget {
  name: string;
  connect(): Promise<SshSession>;
}

export interface ImageLoaderOptions {
  /** For archives made on the way. */
  temporaryDirectory: string;
  logger: Logger;
  /** Replaces `docker save` in tests. */
  save?: typeof saveFromDocker;
}

export type LoadImage = (
  request: Pick<ImageLoadRequest, 'source' | 'name'>,
  targets: readonly ImageTarget[],
) => Promise<ImageLoadResult>;

const loadDeadlineMs = 10 * 60_000;

/** Errors: IMAGE_INVALID (details.field), IMAGE_NOT_FOUND, DOCKER_UNAVAILABLE, IMAGE_NOT_LOADED (no node has it). */
export function createImageLoader(options: ImageLoaderOptions): LoadImage {
  const { logger } = options;
  return async (request, targets) => {
    const name = request.name === undefined ? undefined : checkImageName(request.name);
    if (await isFile(request.source)) return loadArchive(request.source, name, targets);
    if (isAbsolute(request.source) || request.source.endsWith('.tar')) throw noSuchFile(request.source);
    const image = checkSourceName(request.source);
    const folder = await mkdtemp(join(options.temporaryDirectory, 'save-'));
    try {
      const path = join(folder, 'image.tar');
      await (options.save ?? saveFromDocker)({ image, path });
      return await loadArchive(path, name, targets);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };

  async function loadArchive(
    path: string,
    name: string | undefined,
    targets: readonly ImageTarget[],
  ): Promise<ImageLoadResult> {
    const archive = await detectArchive(path);
    if (archive.kind === 'rootfs' && name === undefined) throw nameRequired();
    const image = name ?? archive.names[0] ?? 'the image';
    const command =
      archive.kind === 'rootfs'
        ? `docker import - ${quote(image)}`
        : ['docker load', ...retag(archive.names[0], name)].join(' && ');
    const nodes = await Promise.all(targets.map((target) => loadInto(target, { path, command })));
    const result: ImageLoadResult = { image, nodes };
    if (nodes.length > 0 && nodes.every((node) => !node.loaded)) throw nowhereLoaded(result);
    return result;
  }

  async function loadInto(target: ImageTarget, work: { path: string; command: string }) {
    try {
      const session = await target.connect();
      try {
        await session.run(work.command, { stdin: createReadStream(work.path), deadlineMs: loadDeadlineMs });
      } finally {
        await session.dispose();
      }
      return { name: target.name, loaded: true };
    } catch (error) {
      logger.warn('an image was not loaded into a node', { node: target.name, reason: messageOf(error) });
      return { name: target.name, loaded: false, failure: messageOf(error) };
    }
  }
}

function retag(from: string | undefined, to: string | undefined): string[] {
  return from !== undefined && to !== undefined && from !== to ? [`docker tag ${quote(from)} ${quote(to)}`] : [];
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

function checkSourceName(source: string): string {
  try {
    return checkImageName(source);
  } catch (error) {
    if (!(error instanceof PilothouseError)) throw error;
    throw new PilothouseError({
      code: 'IMAGE_INVALID',
      message: `source: "${source}" is neither a file nor the name of an image`,
      hint: "Allowed: a tar made by `docker save`, a root filesystem tar, or an image of this computer's Docker.",
      details: { field: 'source' },
    });
  }
}

function noSuchFile(path: string): PilothouseError {
  return new PilothouseError({
    code: 'IMAGE_NOT_FOUND',
    message: `source: there is no file ${path}`,
    hint: 'Check the path.',
    details: { field: 'source' },
  });
}

function nameRequired(): PilothouseError {
  return new PilothouseError({
    code: 'IMAGE_INVALID',
    message: 'name: a root filesystem tar does not say what it is called, so a name is required',
    hint: 'Give repository:tag, such as web:1.',
    details: { field: 'name' },
  });
}

function nowhereLoaded(result: ImageLoadResult): PilothouseError {
  const reasons = result.nodes.map((node) => `${node.name}: ${node.failure}`);
  return new PilothouseError({
    code: 'IMAGE_NOT_LOADED',
    message: `${result.image} was loaded into no node: ${reasons.join('; ')}`,
    hint: 'Check that the cluster is running and its nodes are Ready.',
    details: { nodes: result.nodes },
    retryable: true,
  });
}

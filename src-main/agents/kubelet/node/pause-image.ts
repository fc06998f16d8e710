// The infra image comes with the node: it is imported from its archive when Docker does not have it.

import type { Logger } from '../../../kit';
import type { ContainerRuntime } from '../runtime/runtime';

export interface PauseImageOptions {
  runtime: ContainerRuntime;
  reference: string;
  archive: string;
  logger: Logger;
}

const changes = ['CMD ["/pause","-s","--","/bin/sleep","infinity"]'];

export class PauseImage {
  private importing: Promise<void> | undefined;

  constructor(private readonly options: PauseImageOptions) {}

  /** Answers the reference; several Pods that start together wait for one import. */
  async ensure(): Promise<string> {
    const { runtime, reference, archive, logger } = this.options;
    if (await runtime.image(reference)) return reference;
    this.importing ??= runtime.importArchive(archive, { reference, changes }).finally(() => {
      this.importing = undefined;
    });
    await this.importing;
    logger.info('infra image imported', { reference });
    return reference;
  }
}

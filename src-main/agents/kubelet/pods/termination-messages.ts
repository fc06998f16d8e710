// What a container said when it ended: the file at terminationMessagePath, or the end of its log when it failed, the file
// is empty and its policy says so. Read once per container.

import { open } from 'node:fs/promises';
import type { Logger } from '../../../kit';
import { labels } from '../runtime/names';
import type { ContainerObservation, ContainerRuntime, PodObservation } from '../runtime/runtime';
import type { PodDirectories } from './pod-directory';

const maxBytes = 4096;
const maxLogBytes = 2048;
const maxLogLines = 80;

export class TerminationMessages {
  private readonly texts = new Map<string, string>();

  constructor(private readonly options: { directories: PodDirectories; runtime: ContainerRuntime; logger: Logger }) {}

  get(containerId: string): string | undefined {
    return this.texts.get(containerId) || undefined;
  }

  async read(observed: PodObservation): Promise<void> {
    for (const container of observed.containers) {
      if (container.state !== 'exited' || this.texts.has(container.id)) continue;
      let text = await this.readFile(observed.uid, container);
      const policy = container.labels[labels.terminationMessagePolicy];
      if (text === '' && container.exitCode !== 0 && policy === 'FallbackToLogsOnError')
        text = await this.readLog(container);
      this.texts.set(container.id, text);
    }
  }

  private async readFile(uid: string, container: ContainerObservation): Promise<string> {
    const path = this.options.directories.terminationMessage(uid, container.name, container.attempt);
    try {
      const file = await open(path, 'r');
      try {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(maxBytes), 0, maxBytes, 0);
        return buffer.subarray(0, bytesRead).toString('utf8');
      } finally {
        await file.close();
      }
    } catch (error) {
      this.options.logger.debug('no termination message', { container: container.id, error });
      return '';
    }
  }

  private async readLog(container: ContainerObservation): Promise<string> {
    const signal = AbortSignal.timeout(10_000);
    const stream = await this.options.runtime.logs(container, {
      follow: false,
      tail: maxLogLines,
      timestamps: false,
      signal,
    });
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).subarray(-maxLogBytes).toString('utf8');
  }
}

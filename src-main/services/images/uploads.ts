// Files that the window sends in pieces: assembled under the home folder, limited in size, forgotten when their sender
// goes quiet.

import { createHash } from 'node:crypto';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImageUploadRequest } from '../../contract';
import { type Clock, PilothouseError, systemClock } from '../../kit';
import { commandName } from '../../machines';

export interface UploadsOptions {
  directory: string;
  maxBytes?: number;
  idleMs?: number;
  clock?: Clock;
}

interface Upload {
  path: string;
  bytes: number;
  cancelIdle: () => void;
  /** Pieces are written one after another, in the order they came. */
  tail: Promise<void>;
}

export class Uploads {
  private readonly open = new Map<string, Upload>();
  private readonly maxBytes: number;

  constructor(private readonly options: UploadsOptions) {
    this.maxBytes = options.maxBytes ?? 4 * 1024 ** 3;
  }

  /** Removes what an earlier process left behind. */
  async clean(): Promise<void> {
    await rm(this.options.directory, { recursive: true, force: true });
    await mkdir(this.options.directory, { recursive: true, mode: 0o700 });
  }

  /** Adds a piece; the path of the whole file when it was the last. Error UPLOAD_TOO_LARGE. */
  async add(request: Pick<ImageUploadRequest, 'upload' | 'chunk' | 'last'>): Promise<string | undefined> {
    const upload = this.open.get(request.upload) ?? this.begin(request.upload);
    this.waitForMore(request.upload, upload);
    const data = Buffer.from(request.chunk, 'base64');
    upload.bytes += data.length;
    if (upload.bytes > this.maxBytes) {
      await this.discard(request.upload);
      throw new PilothouseError({
        code: 'UPLOAD_TOO_LARGE',
        message: `the file is larger than ${this.maxBytes} bytes`,
        hint: `Load it with "${commandName()} image load FILE" instead.`,
      });
    }
    upload.tail = upload.tail.then(() => append(upload.path, data));
    await upload.tail;
    if (!request.last) return undefined;
    upload.cancelIdle();
    this.open.delete(request.upload);
    return upload.path;
  }

  /** Removes a whole file that `add` answered. */
  async remove(path: string): Promise<void> {
    await rm(path, { force: true });
  }

  async discard(id: string): Promise<void> {
    const upload = this.open.get(id);
    if (!upload) return;
    this.open.delete(id);
    upload.cancelIdle();
    await rm(upload.path, { force: true });
  }

  private begin(id: string): Upload {
    const file = createHash('sha256').update(id).digest('hex').slice(0, 32);
    const upload: Upload = {
      path: join(this.options.directory, `${file}.upload`),
      bytes: 0,
      cancelIdle: () => undefined,
      tail: Promise.resolve(),
    };
    this.open.set(id, upload);
    return upload;
  }

  private waitForMore(id: string, upload: Upload): void {
    upload.cancelIdle();
    const clock = this.options.clock ?? systemClock;
    upload.cancelIdle = clock.after(this.options.idleMs ?? 120_000, () => void this.discard(id));
  }
}

async function append(path: string, data: Buffer): Promise<void> {
  const file = await open(path, 'a', 0o600);
  try {
    await file.writeFile(data);
  } finally {
    await file.close();
  }
}

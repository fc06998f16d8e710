// Loading images into nodes: a file in chunks, or by its name in this computer's Docker.

import type { ImageLoadResult } from '../../src-main/contract';
import { rpc } from '../rpc';

const chunkBytes = 512 * 1024;

/** Base64 of bytes, in pieces small enough for the call stack. */
export function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let at = 0; at < bytes.length; at += 0x8000) {
    binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  }
  return btoa(binary);
}

export interface UploadRequest {
  cluster: string;
  file: File;
  /** Name for a root file system tar. */
  name?: string;
  onProgress(sentBytes: number): void;
}

/** Sends a file chunk by chunk (each awaited, so that memory stays small) and answers what the nodes did with it. */
export async function uploadImage({
  cluster,
  file,
  name,
  onProgress,
}: UploadRequest): Promise<ImageLoadResult | undefined> {
  const upload = crypto.randomUUID();
  for (let at = 0; ; at += chunkBytes) {
    const end = Math.min(at + chunkBytes, file.size);
    const chunk = toBase64(new Uint8Array(await file.slice(at, end).arrayBuffer()));
    const last = end >= file.size;
    if (last) onProgress(file.size);
    const result = await rpc().clusters.uploadImage.mutate({ cluster, upload, fileName: file.name, name, chunk, last });
    if (last) return result;
    onProgress(end);
  }
}

export function loadImage(cluster: string, source: string): Promise<ImageLoadResult> {
  return rpc().clusters.loadImage.mutate({ cluster, source });
}

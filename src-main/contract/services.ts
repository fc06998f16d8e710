// What the host must be able to do. `src-main/services` implements it, the router in this folder exposes it, and both
// transports (Electron IPC, WebSocket) carry it unchanged.

import { z } from 'zod';
import { type ClusterView, type CreateClusterRequest, clusterNameSchema } from './cluster';
import type { HostView } from './host';
import type { KubeService } from './kube';

export const clusterRefSchema = z.object({ name: clusterNameSchema });
export const consoleSchema = z.object({ cluster: clusterNameSchema, machine: z.string().min(1) });
export const imageLoadSchema = z.object({
  cluster: clusterNameSchema,
  /** A tar made by `docker save`, a root filesystem tar, or the name of an image in this computer's Docker. */
  source: z.string().min(1, 'name an image or a tar file'),
  /** Repository:tag to give to a root filesystem tar. */
  name: z.string().min(1).optional(),
});
export type ImageLoadRequest = z.infer<typeof imageLoadSchema>;
export const imageUploadSchema = z.object({
  cluster: clusterNameSchema,
  /** Chosen by the caller, the same for all chunks of one file. */
  upload: z.uuid(),
  fileName: z.string().min(1).max(255),
  name: z.string().min(1).optional(),
  /** Base64 of at most 1 MiB; an upload ends with `last`. */
  chunk: z.string().max(1_400_000),
  last: z.boolean(),
});
export type ImageUploadRequest = z.infer<typeof imageUploadSchema>;

export interface ImageLoadResult {
  image: string;
  nodes: { name: string; loaded: boolean; failure?: string }[];
}

export interface ClusterService {
  list(): Promise<ClusterView[]>;
  /** The whole list at once, then again whenever anything in it changes (at most ten times a second). */
  watch(signal: AbortSignal): AsyncIterable<ClusterView[]>;
  /** Answers as soon as the cluster is written down; progress is seen by `watch`. */
  create(request: CreateClusterRequest): Promise<ClusterView>;
  /** Starts a stopped cluster, or goes on where a failed one stopped ("Retry"). */
  start(name: string): Promise<ClusterView>;
  stop(name: string): Promise<void>;
  delete(name: string): Promise<void>;
  /** Serial console: what there is, then what follows. */
  console(request: { cluster: string; machine: string }, signal: AbortSignal): AsyncIterable<{ text: string }>;
  /** A kubeconfig with the cluster's administrator, as YAML. */
  kubeconfig(name: string): Promise<string>;
  loadImage(request: ImageLoadRequest): Promise<ImageLoadResult>;
  uploadImage(request: ImageUploadRequest): Promise<ImageLoadResult | undefined>;
}

export interface HostService {
  info(): Promise<HostView>;
  /** Ends the host: clusters are stopped gracefully first. */
  shutdown(): Promise<void>;
}

export interface HostServices {
  host: HostService;
  clusters: ClusterService;
  kube: KubeService;
}

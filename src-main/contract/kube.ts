// Kubernetes objects as the window reads and changes them: always through the cluster's API server.

import { z } from 'zod';
import type { KubeList, KubeObject, WatchEvent } from '../api';

export const resourceSchema = z.object({
  group: z.string(),
  version: z.string(),
  plural: z.string().min(1),
  namespaced: z.boolean(),
});
const inCluster = z.object({ cluster: z.string().min(1) });

export const listSchema = inCluster.extend({
  resource: resourceSchema,
  namespace: z.string().optional(),
  labelSelector: z.string().optional(),
  fieldSelector: z.string().optional(),
  limit: z.int().positive().optional(),
  continue: z.string().optional(),
});
export type ListRequest = z.infer<typeof listSchema>;

/** A watch that begins with the whole current list, unless resumed from `resourceVersion`. */
export const watchSchema = listSchema
  .omit({ limit: true, continue: true })
  .extend({ resourceVersion: z.string().optional() });
export type WatchRequest = z.infer<typeof watchSchema>;

/**
 * `snapshot` replaces all that is known; `events` are changes after it, in order, batched; `stale` says the API server
 * cannot be reached right now (what is shown may be old): the stream goes on and resumes by itself.
 */
export type WatchMessage =
  | { type: 'snapshot'; list: KubeList }
  | { type: 'events'; events: WatchEvent[]; resourceVersion: string }
  | { type: 'stale'; reason: string };

export const nameSchema = inCluster.extend({
  resource: resourceSchema,
  namespace: z.string().optional(),
  name: z.string().min(1),
});
export type NameRequest = z.infer<typeof nameSchema>;

export const objectSchema = z.looseObject({
  apiVersion: z.string().min(1),
  kind: z.string().min(1),
  metadata: z.looseObject({ name: z.string().optional(), namespace: z.string().optional() }),
});

export const createObjectSchema = inCluster.extend({ object: objectSchema, dryRun: z.boolean().default(false) });
export type CreateObjectRequest = z.infer<typeof createObjectSchema>;

export const deleteSchema = nameSchema.extend({ gracePeriodSeconds: z.int().min(0).optional() });
export type DeleteRequest = z.infer<typeof deleteSchema>;

export const scaleSchema = nameSchema.extend({ replicas: z.int('a whole number').min(0, 'at least 0') });
export type ScaleRequest = z.infer<typeof scaleSchema>;

export const logsSchema = inCluster.extend({
  namespace: z.string().min(1),
  pod: z.string().min(1),
  container: z.string().optional(),
  follow: z.boolean().default(true),
  previous: z.boolean().default(false),
  tailLines: z.int().min(0).optional(),
  timestamps: z.boolean().default(false),
});
export type LogsRequest = z.infer<typeof logsSchema>;

export interface KubeService {
  list(request: ListRequest): Promise<KubeList>;
  watch(request: WatchRequest, signal: AbortSignal): AsyncIterable<WatchMessage>;
  get(request: NameRequest): Promise<KubeObject>;
  create(request: CreateObjectRequest): Promise<KubeObject>;
  delete(request: DeleteRequest): Promise<void>;
  scale(request: ScaleRequest): Promise<{ replicas: number }>;
  /** Chunks of whole lines, in order. */
  logs(request: LogsRequest, signal: AbortSignal): AsyncIterable<{ lines: string[] }>;
}

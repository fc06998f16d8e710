// The one RPC surface. Adding a call: its schema and signature in this folder, its line here, its work in services.

import { initTRPC } from '@trpc/server';
import { PilothouseError } from '../kit';
import { createClusterSchema } from './cluster';
import { createObjectSchema, deleteSchema, listSchema, logsSchema, nameSchema, scaleSchema, watchSchema } from './kube';
import { clusterRefSchema, consoleSchema, type HostServices, imageLoadSchema, imageUploadSchema } from './services';

/** What a failed call tells besides its message: rendered by the window and the CLI. */
export interface RpcErrorDetails {
  code: string;
  hint?: string;
  details: Record<string, unknown>;
}

const trpc = initTRPC.context<HostServices>().create({
  errorFormatter({ shape, error }) {
    const cause = error.cause;
    const pilothouse: RpcErrorDetails | undefined =
      cause instanceof PilothouseError ? { code: cause.code, hint: cause.hint, details: cause.details } : undefined;
    return { ...shape, data: { code: shape.data.code, path: shape.data.path, pilothouse } };
  },
});
const { procedure, router } = trpc;

/** Yields until the stream ends or the caller goes away. */
async function* until<T>(signal: AbortSignal | undefined, open: (signal: AbortSignal) => AsyncIterable<T>) {
  const controller = new AbortController();
  const stop = () => controller.abort(signal?.reason);
  signal?.addEventListener('abort', stop, { once: true });
  try {
    for await (const item of open(controller.signal)) {
      if (signal?.aborted) return;
      yield item;
    }
  } finally {
    signal?.removeEventListener('abort', stop);
    controller.abort();
  }
}

export const appRouter = router({
  host: router({
    info: procedure.query(({ ctx }) => ctx.host.info()),
    shutdown: procedure.mutation(({ ctx }) => ctx.host.shutdown()),
  }),
  clusters: router({
    list: procedure.query(({ ctx }) => ctx.clusters.list()),
    watch: procedure.subscription(({ ctx, signal }) => until(signal, (s) => ctx.clusters.watch(s))),
    create: procedure.input(createClusterSchema).mutation(({ ctx, input }) => ctx.clusters.create(input)),
    start: procedure.input(clusterRefSchema).mutation(({ ctx, input }) => ctx.clusters.start(input.name)),
    stop: procedure.input(clusterRefSchema).mutation(({ ctx, input }) => ctx.clusters.stop(input.name)),
    delete: procedure.input(clusterRefSchema).mutation(({ ctx, input }) => ctx.clusters.delete(input.name)),
    kubeconfig: procedure.input(clusterRefSchema).query(({ ctx, input }) => ctx.clusters.kubeconfig(input.name)),
    console: procedure
      .input(consoleSchema)
      .subscription(({ ctx, input, signal }) => until(signal, (s) => ctx.clusters.console(input, s))),
    loadImage: procedure.input(imageLoadSchema).mutation(({ ctx, input }) => ctx.clusters.loadImage(input)),
    uploadImage: procedure.input(imageUploadSchema).mutation(({ ctx, input }) => ctx.clusters.uploadImage(input)),
  }),
  kube: router({
    list: procedure.input(listSchema).query(({ ctx, input }) => ctx.kube.list(input)),
    watch: procedure
      .input(watchSchema)
      .subscription(({ ctx, input, signal }) => until(signal, (s) => ctx.kube.watch(input, s))),
    get: procedure.input(nameSchema).query(({ ctx, input }) => ctx.kube.get(input)),
    create: procedure.input(createObjectSchema).mutation(({ ctx, input }) => ctx.kube.create(input)),
    delete: procedure.input(deleteSchema).mutation(({ ctx, input }) => ctx.kube.delete(input)),
    scale: procedure.input(scaleSchema).mutation(({ ctx, input }) => ctx.kube.scale(input)),
    logs: procedure
      .input(logsSchema)
      .subscription(({ ctx, input, signal }) => until(signal, (s) => ctx.kube.logs(input, s))),
  }),
});

export type AppRouter = typeof appRouter;

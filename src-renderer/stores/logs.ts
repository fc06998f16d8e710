// A container's log, live.

import { type MaybeRefOrGetter, onScopeDispose, shallowRef, toValue, watch } from 'vue';
import type { LogsRequest } from '../../src-main/contract';
import { type Failure, failureOf, rpc } from '../rpc';
import { LogBuffer } from './log-buffer';
import { everyFrame } from './resource-feed';

export const logLineLimit = 50_000;
const retryMs = 2000;

export type LogState = 'waiting' | 'streaming' | 'ended' | 'failed';
export type LogQuery = Pick<LogsRequest, 'cluster' | 'namespace' | 'pod' | 'container' | 'previous' | 'timestamps'>;

/** Reads the log of `query` while the calling scope lives, anew whenever the query changes. */
export function useLogs(query: MaybeRefOrGetter<LogQuery | undefined>) {
  const buffer = new LogBuffer({ limit: logLineLimit, schedule: everyFrame });
  const state = shallowRef<LogState>('waiting');
  const failure = shallowRef<Failure>();
  let stop: (() => void) | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;

  function open(asked: LogQuery): void {
    const subscription = rpc().kube.logs.subscribe(
      { ...asked, follow: !asked.previous, tailLines: logLineLimit },
      {
        // Also after a reconnection, which reads the log from its beginning again.
        onStarted: () => {
          buffer.clear();
          failure.value = undefined;
          state.value = 'streaming';
        },
        onData: ({ lines }) => buffer.append(lines),
        onStopped: () => {
          state.value = 'ended';
        },
        onError: (error) => {
          failure.value = failureOf(error);
          state.value = 'failed';
          if (!asked.previous) retry = setTimeout(() => open(asked), retryMs);
        },
      },
    );
    stop = () => subscription.unsubscribe();
  }
  function close(): void {
    clearTimeout(retry);
    stop?.();
    stop = undefined;
  }

  watch(
    () => toValue(query),
    (asked, before) => {
      if (JSON.stringify(asked) === JSON.stringify(before)) return;
      close();
      buffer.clear();
      state.value = 'waiting';
      failure.value = undefined;
      if (asked) open(asked);
    },
    { immediate: true },
  );
  onScopeDispose(close);
  return { lines: buffer.lines, trimmed: buffer.trimmed, state, failure };
}

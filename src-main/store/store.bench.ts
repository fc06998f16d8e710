// Measures the store the way the API server uses it: many writers at once, point reads, list pages, watches. The root
// bench script calls it; numbers are rates a second and CPU microseconds an operation (all threads of the process).

import { silentLogger } from '../kit';
import { openLmdbStore } from './open';
import type { Store } from './store';

const writers = 64;
const keyCount = 5_000;
const valueBytes = 512;
const measureMs = 2_000;

const keyOf = (n: number) => `/registry/pods/default/pod-${String(n % keyCount).padStart(6, '0')}`;

interface Measured {
  rate: number;
  cpuMicros: number;
}

/** Runs `work` repeatedly for a while; it answers how many operations it did. */
async function measure(work: () => Promise<number>): Promise<Measured> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  let operations = 0;
  while (performance.now() - start < measureMs) operations += await work();
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { rate: Math.round(operations / seconds), cpuMicros: Number(((user + system) / operations).toFixed(2)) };
}

async function measurePuts(store: Store): Promise<Measured> {
  const value = Buffer.alloc(valueBytes, 120);
  let n = 0;
  let deadline = 0;
  const writer = async () => {
    let done = 0;
    for (; performance.now() < deadline; done++) await store.put({ key: keyOf(n++), value });
    return done;
  };
  return measure(async () => {
    deadline = performance.now() + measureMs;
    const counts = await Promise.all(Array.from({ length: writers }, writer));
    return counts.reduce((sum, count) => sum + count, 0);
  });
}

/** Opens a store in the directory, which should be empty, and answers its rates. */
export async function benchStore(directory: string): Promise<Record<string, number>> {
  const store = await openLmdbStore({ directory, logger: silentLogger });
  try {
    const value = Buffer.alloc(valueBytes, 120);
    for (let first = 0; first < keyCount; first += writers) {
      const batch = Array.from({ length: writers }, (_, i) => store.put({ key: keyOf(first + i), value }));
      await Promise.all(batch);
    }
    const put = await measurePuts(store);
    let n = 0;
    const get = await measure(async () => {
      for (let i = 0; i < 1000; i++) await store.range({ key: keyOf(n++) });
      return 1000;
    });
    const prefix = '/registry/pods/';
    const rangeEnd = '/registry/pods0';
    const range = await measure(async () => (await store.range({ key: prefix, rangeEnd, limit: 500 })).kvs.length);
    const history = await measure(() => catchUp(store, { key: prefix, rangeEnd }));
    let events = 0;
    const watches = Array.from({ length: 10 }, () =>
      store.watch(
        { key: prefix, rangeEnd, prevKv: true },
        { onEvents: (told) => void (events += told.length), onEnd: () => undefined },
      ),
    );
    const watchedFrom = performance.now();
    const watchedPut = await measurePuts(store);
    const watchedSeconds = (performance.now() - watchedFrom) / 1000;
    for (const watch of watches) watch.cancel();
    const compactFrom = performance.now();
    await store.compact(store.revision());
    const compactMs = performance.now() - compactFrom;
    return {
      'durable puts/s, 64 writers': put.rate,
      'CPU µs per put': put.cpuMicros,
      'gets/s': get.rate,
      'CPU µs per get': get.cpuMicros,
      'listed keys/s, pages of 500': range.rate,
      'CPU µs per listed key': range.cpuMicros,
      'caught-up watch events/s': history.rate,
      'durable puts/s with 10 watches': watchedPut.rate,
      'CPU µs per put with 10 watches': watchedPut.cpuMicros,
      'live watch events/s': Math.round(events / watchedSeconds),
      'compaction ms': Math.round(compactMs),
    };
  } finally {
    await store.close();
  }
}

/** One watch from the beginning to now; resolves with the number of events it was told. */
function catchUp(store: Store, range: { key: string; rangeEnd: string }): Promise<number> {
  const target = store.revision();
  return new Promise((resolve, reject) => {
    let events = 0;
    const watch = store.watch(
      { ...range, startRevision: 2 },
      {
        onEvents(told, revision) {
          events += told.length;
          if (revision < target) return;
          watch.cancel();
          resolve(events);
        },
        onEnd: reject,
      },
    );
  });
}

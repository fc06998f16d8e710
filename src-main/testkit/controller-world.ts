// A small cluster for tests of controllers: the fake API, a clock moved by hand, and kubelets that run what is bound.

import type { Pod } from '../api';
import type { Client } from '../client';
import type { Clock } from '../kit';
import { FakeApi } from './fake-api';
import { FakeClock, settle } from './fake-clock';
import { runFakeKubelet } from './fake-kubelet';

interface Running {
  stop(): Promise<void>;
  isIdle(): boolean;
}

export interface World {
  api: FakeApi;
  clock: FakeClock;
  /** Pods this answers true for do not become ready. */
  hold: (pod: Pod) => boolean;
  /** Lets everything run that can without time passing. */
  converge(): Promise<void>;
  stop(): Promise<void>;
}

/** `start` gets what it needs to start controllers or a scheduler; Pods are bound to node-1 and node-2 in turn. */
export async function startWorld(
  start: (environment: { client: Client; clock: Clock; signal: AbortSignal }) => Promise<Running>,
  options: { bindPods?: boolean; prepare?: (api: FakeApi) => Promise<void> } = {},
): Promise<World> {
  const clock = new FakeClock();
  const api = new FakeApi({ clock });
  await options.prepare?.(api);
  const controller = new AbortController();
  const running = await start({ client: api, clock, signal: controller.signal });
  let turn = 0;
  const world: World = {
    api,
    clock,
    hold: () => false,
    async converge() {
      for (let quiet = 0, calls = -1; quiet < 5; ) {
        await settle(10);
        quiet = running.isIdle() && api.calls.length === calls ? quiet + 1 : 0;
        calls = api.calls.length;
      }
    },
    async stop() {
      controller.abort(new Error('the test is over'));
      await running.stop();
    },
  };
  runFakeKubelet({
    client: api,
    clock,
    signal: controller.signal,
    hold: (pod) => world.hold(pod),
    ...(options.bindPods === false ? {} : { nodeOf: () => `node-${(turn++ % 2) + 1}` }),
  });
  return world;
}

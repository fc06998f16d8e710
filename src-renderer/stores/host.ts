// What is known of this computer, asked when a page needs it.

import { defineStore } from 'pinia';
import { shallowRef } from 'vue';
import type { HostView } from '../../src-main/contract';
import { type Failure, failureOf, rpc } from '../rpc';

export const useHost = defineStore('host', () => {
  const info = shallowRef<HostView>();
  const failure = shallowRef<Failure>();
  const asking = shallowRef(false);

  async function refresh(): Promise<void> {
    asking.value = true;
    try {
      info.value = await rpc().host.info.query();
      failure.value = undefined;
    } catch (error) {
      failure.value = failureOf(error);
    } finally {
      asking.value = false;
    }
  }

  return { info, failure, asking, refresh };
});

// Short messages in the corner. Errors stay until closed; the rest leave by themselves.

import { defineStore } from 'pinia';
import { ref } from 'vue';
import { failureOf } from '../rpc';

export interface Toast {
  id: number;
  tone: 'ok' | 'bad';
  title: string;
  message?: string;
  hint?: string;
}

const okMs = 5000;

export const useToasts = defineStore('toasts', () => {
  const list = ref<Toast[]>([]);
  let lastId = 0;

  function close(id: number): void {
    list.value = list.value.filter((toast) => toast.id !== id);
  }

  function show(toast: Omit<Toast, 'id'>): void {
    lastId += 1;
    const id = lastId;
    list.value = [...list.value.slice(-3), { ...toast, id }];
    if (toast.tone === 'ok') setTimeout(() => close(id), okMs);
  }

  /** Runs an action; a failure becomes a toast titled `title`. Answers whether it succeeded. */
  async function attempt(title: string, action: () => Promise<unknown>): Promise<boolean> {
    try {
      await action();
      return true;
    } catch (error) {
      const { message, hint } = failureOf(error);
      show({ tone: 'bad', title, message, hint });
      return false;
    }
  }

  return {
    list,
    show,
    close,
    attempt,
    succeed: (title: string, message?: string) => show({ tone: 'ok', title, message }),
  };
});

// Start, stop and delete as pages offer them: failures become toasts, success is answered.

import { type MaybeRefOrGetter, ref, toValue } from 'vue';
import { i18n } from '../locales';
import { useClusters } from './clusters';
import { useToasts } from './toasts';

export function useClusterActions(name: MaybeRefOrGetter<string>) {
  const clusters = useClusters();
  const toasts = useToasts();
  const busy = ref(false);
  const { t } = i18n.global;

  async function run(title: string, action: (name: string) => Promise<unknown>): Promise<boolean> {
    busy.value = true;
    const done = await toasts.attempt(title, () => action(toValue(name)));
    busy.value = false;
    return done;
  }

  return {
    busy,
    start: () => run(t('frame.startFailed'), clusters.resume),
    stop: () => run(t('overview.stopFailed'), clusters.stop),
    async remove(): Promise<boolean> {
      const deleted = toValue(name);
      const done = await run(t('overview.deleteFailed'), clusters.remove);
      if (done) toasts.succeed(t('overview.deleted', { name: deleted }));
      return done;
    },
  };
}

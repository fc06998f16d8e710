// The namespace chosen for a cluster's lists, shared by all of its pages and remembered.

import { computed, type MaybeRefOrGetter, toValue } from 'vue';
import type { Namespace } from '../../src-main/api';
import { resources } from '../../src-main/api/resources';
import { usePreferences } from './preferences';
import { useResource } from './resource';

export function useNamespace(cluster: MaybeRefOrGetter<string>) {
  const preferences = usePreferences();
  const namespaces = useResource<Namespace>(cluster, resources.namespaces);
  const names = computed(() => namespaces.items.value.map((item) => item.metadata.name ?? ''));
  const chosen = computed({
    get: () => preferences.namespaces[toValue(cluster)] ?? '',
    set: (name) => {
      preferences.namespaces = { ...preferences.namespaces, [toValue(cluster)]: name };
    },
  });
  return { names, chosen };
}

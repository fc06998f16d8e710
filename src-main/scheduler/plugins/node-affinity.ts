// nodeSelector and required node affinity decide where a Pod may run, preferred node affinity where it would rather.

import type { FilterPlugin, ScorePlugin } from '../framework';
import { matchesTerm } from './node-selector';

const mismatch = "node(s) didn't match Pod's node affinity/selector";

export const nodeAffinity: FilterPlugin & ScorePlugin = {
  name: 'NodeAffinity',
  weight: 2,
  wakesOn: ['node-added', 'node-changed'],
  filter({ pod, affinity }, { node }) {
    const labels = node!.metadata.labels ?? {};
    const selector = Object.entries(pod.spec.nodeSelector ?? {});
    if (!selector.every(([key, value]) => labels[key] === value)) return [mismatch];
    const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
    return !required || required.nodeSelectorTerms.some((term) => matchesTerm(term, node!)) ? [] : [mismatch];
  },
  /** The weights of the preferences that hold. An empty preference holds nowhere, as upstream. */
  score({ affinity }, { node }) {
    const preferred = affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    return preferred.reduce((sum, { weight, preference }) => sum + (matchesTerm(preference, node!) ? weight : 0), 0);
  },
  normalize: 'proportional',
};

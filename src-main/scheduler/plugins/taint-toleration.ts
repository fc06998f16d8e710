// Taints keep Pods away (NoSchedule, NoExecute) or make a node less wanted (PreferNoSchedule).

import type { FilterPlugin, ScorePlugin } from '../framework';
import { isTolerated } from './tolerations';

export const taintToleration: FilterPlugin & ScorePlugin = {
  name: 'TaintToleration',
  weight: 3,
  wakesOn: ['node-added', 'node-changed'],
  filter({ tolerations }, { node }) {
    const taint = node?.spec?.taints?.find(
      (candidate) => candidate.effect !== 'PreferNoSchedule' && !isTolerated(tolerations, candidate),
    );
    return taint ? [`node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`] : [];
  },
  /** Untolerated PreferNoSchedule taints: the fewer the better. */
  score({ tolerations }, { node }) {
    const taints = node?.spec?.taints ?? [];
    return taints.filter((taint) => taint.effect === 'PreferNoSchedule' && !isTolerated(tolerations, taint)).length;
  },
  normalize: 'reverse',
};

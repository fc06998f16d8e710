// A cordoned node takes no new Pods but those that tolerate it.

import type { FilterPlugin } from '../framework';
import { isTolerated } from './tolerations';

const taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };

export const nodeUnschedulable: FilterPlugin = {
  name: 'NodeUnschedulable',
  wakesOn: ['node-added', 'node-changed'],
  filter({ tolerations }, { node }) {
    return node?.spec?.unschedulable && !isTolerated(tolerations, taint) ? ['node(s) were unschedulable'] : [];
  },
};

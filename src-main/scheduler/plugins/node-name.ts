// A Pod that names its node fits there only.

import type { FilterPlugin } from '../framework';

export const nodeName: FilterPlugin = {
  name: 'NodeName',
  wakesOn: ['node-added'],
  filter({ pod }, { name }) {
    const wanted = pod.spec.nodeName;
    return !wanted || wanted === name ? [] : ["node(s) didn't match the requested node name"];
  },
};

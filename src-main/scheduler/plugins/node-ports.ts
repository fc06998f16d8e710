// A host port can be had once per node.

import type { FilterPlugin } from '../framework';
import { portsConflict } from '../pod-info';

export const nodePorts: FilterPlugin = {
  name: 'NodePorts',
  wakesOn: ['node-added', 'pod-removed'],
  filter({ hostPorts }, node) {
    const taken = hostPorts.some((port) => node.hostPorts.some((other) => portsConflict(port, other)));
    return taken ? ["node(s) didn't have free ports for the requested pod ports"] : [];
  },
};

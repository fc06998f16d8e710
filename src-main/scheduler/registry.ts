// The plugins of the default profile, cheapest refusal first. Adding one is its file and its line here.

import type { Framework } from './framework';
import { nodeAffinity } from './plugins/node-affinity';
import { nodeName } from './plugins/node-name';
import { nodePorts } from './plugins/node-ports';
import { nodeUnschedulable } from './plugins/node-unschedulable';
import { balancedAllocation, resourcesFit } from './plugins/resources-fit';
import { taintToleration } from './plugins/taint-toleration';

export const defaultProfile: Framework = {
  filters: [nodeUnschedulable, nodeName, taintToleration, nodeAffinity, nodePorts, resourcesFit],
  scores: [taintToleration, nodeAffinity, resourcesFit, balancedAllocation],
};

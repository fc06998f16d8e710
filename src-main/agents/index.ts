// What other folders may know of the node agents. The agents themselves are programs (kubelet/main.ts, proxy/main.ts)
// that `scripts/build-agents.ts` bundles; nothing here starts anything.

export { kubernetesVersion } from './process/version';

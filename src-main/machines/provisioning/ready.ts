// Step `ready`: the caller says that the node is Ready.

import type { ProvisioningStep } from './step';

export const readyStep: ProvisioningStep = {
  name: 'ready',
  title: 'Ready',
  deadlineMs: 180_000,
  hint: 'The agents run but the node is not Ready: `kubectl describe node` and `journalctl -u kubelet` in the machine say why.',
  check: async () => false,
  async run({ payload, signal, detail }) {
    detail('waiting for the node to report Ready');
    await (await payload()).ready(signal);
  },
};

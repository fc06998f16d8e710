// Step `ready`: the caller says that the node is Ready.

import { commandName } from '../command-name';
import { journal } from './journal';
import type { ProvisioningStep } from './step';

export const readyStep: ProvisioningStep = {
  name: 'ready',
  title: 'Ready',
  deadlineMs: 180_000,
  late: (machine) => `${machine} was not Ready`,
  hint: (machine) =>
    `The kubelet's journal says why; what the machine printed: ${commandName()} logs console ${machine}; what the API server answered: ${commandName()} logs control-plane`,
  diagnose: ({ session }) => journal(session, 'kubelet'),
  check: async () => false,
  async run({ payload, signal, detail }) {
    detail('waiting for the node to report Ready');
    await (await payload()).ready(signal);
  },
};

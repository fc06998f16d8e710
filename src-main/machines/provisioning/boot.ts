// Step `boot`: the machine's process runs.

import type { ProvisioningStep } from './step';

export const bootStep: ProvisioningStep = {
  name: 'boot',
  title: 'Boot',
  deadlineMs: 60_000,
  late: (machine) => `the machine ${machine} did not start`,
  hint: () => 'Check that this computer has free memory for the machine, then retry.',
  async check({ machine, driver, signal }) {
    if (machine.state() === 'stopping') await driver.settled(signal);
    return machine.state() === 'running' || machine.state() === 'starting';
  },
  run: ({ driver, detail, signal }) => driver.boot(detail, signal),
};

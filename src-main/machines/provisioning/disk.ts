// Step `disk`: the machine's own disk over the image.

import type { ProvisioningStep } from './step';

export const diskStep: ProvisioningStep = {
  name: 'disk',
  title: 'Disk',
  deadlineMs: 60_000,
  late: (machine) => `the disk of ${machine} was not made`,
  hint: () => 'Check that the disk of this computer has free space and that the cluster folder can be written.',
  check: ({ driver }) => driver.diskReady(),
  run: ({ driver, signal }) => driver.prepareDisk(signal),
};

// Step `image`: the node image is built. A specification that cannot work fails here, before minutes are spent.

import type { ProvisioningStep } from './step';

export const imageStep: ProvisioningStep = {
  name: 'image',
  title: 'Node image',
  deadlineMs: 16 * 60_000,
  late: () => 'the node image was not built',
  hint: () =>
    'The node image is built from Debian packages once. Check the internet connection and the free disk space, then retry.',
  async check({ driver, machine }) {
    await driver.validate(machine.spec);
    return driver.imageReady();
  },
  async run({ driver, detail, signal }) {
    await driver.prepareImage(detail, signal);
  },
};

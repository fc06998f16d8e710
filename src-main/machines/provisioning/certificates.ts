// Step `certificates`: the node's credentials are in place.

import { filesPresent, writeFiles } from './node-files';
import type { ProvisioningStep } from './step';

export const certificatesStep: ProvisioningStep = {
  name: 'certificates',
  title: 'Certificates',
  deadlineMs: 60_000,
  late: (machine) => `the credentials of ${machine} were not written`,
  hint: () => 'Writing into the machine failed: check that its disk is not full, then retry.',
  async check({ session, payload }) {
    return filesPresent(await session(), (await payload()).certificates);
  },
  async run({ session, payload, detail, done }) {
    detail('writing credentials');
    const changed = await writeFiles(await session(), (await payload()).certificates);
    if (changed.length > 0) done.credentialsChanged = true;
  },
};

// Step `ssh`: the guest answers and lets the cluster's key in. Refusals end at once, silence is waited for.

import { PilothouseError, sleep } from '../../kit';
import { tailOf } from '../command';
import { commandName } from '../command-name';
import type { ProvisioningStep } from './step';

/** One login under emulation takes one to three seconds. */
export const sshAttemptMs = 15_000;
const pauseMs = 250;
const consoleLines = 20;

export const sshStep: ProvisioningStep = {
  name: 'ssh',
  title: 'SSH',
  deadlineMs: 180_000,
  late: (machine) => `${machine} did not answer over SSH`,
  hint: (machine) =>
    `The machine's process runs, its system does not answer. What it printed: ${commandName()} logs console ${machine}. Stopping the cluster and starting it again is safe.`,
  diagnose: ({ driver }) => Promise.resolve({ outputTail: tailOf(driver.consoleTail(), consoleLines) }),
  // A shared session left by an earlier step cannot exist yet: logging in is both the check and the work.
  check: async () => false,
  async run({ machine, driver, session, detail, signal }) {
    detail('waiting for the SSH server');
    for (;;) {
      signal.throwIfAborted();
      const state = machine.state();
      if (state === 'failed' || state === 'stopped' || state === 'absent') {
        throw new PilothouseError({
          code: 'MACHINE_EXITED',
          message: `${machine.spec.name} ended while it was booting`,
          hint: `What it printed: ${commandName()} logs console ${machine.spec.name}`,
          details: { outputTail: tailOf(driver.consoleTail(), consoleLines) },
          retryable: true,
        });
      }
      try {
        await session();
        driver.reached();
        return;
      } catch (error) {
        const waits = error instanceof PilothouseError && (error.retryable || error.code === 'DEADLINE_EXCEEDED');
        if (!waits) throw error;
      }
      await sleep(pauseMs, { signal });
    }
  },
};

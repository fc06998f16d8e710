// Bringing all machines of a cluster up in parallel. One machine's failure does not stop the others: what they reached
// is kept, and "Retry" goes on from the failed step.

import type { Client } from '../../client';
import { messageOf, PilothouseError } from '../../kit';
import { type MachineSpec, within } from '../../machines';
import { createNodePayload } from '../node';
import type { ClusterPki } from '../pki';
import { checkTogether, type HostCapacity } from './capacity';
import { type ClusterMachines, hostAddressInGuests } from './environment';
import type { ClusterRecord } from './record';
import type { StepBoard } from './step-board';

export interface ProvisionRequest {
  record: ClusterRecord;
  machines: ClusterMachines;
  pki: ClusterPki;
  client: Client;
  agentsDirectory: string;
  board: StepBoard;
  changed: () => void;
  signal: AbortSignal;
}

/** Whether all machines that are to be started fit together; if not, each shows it on its next step and this throws it. */
export async function checkRoom(request: {
  record: ClusterRecord;
  machines: ClusterMachines;
  board: StepBoard;
  capacity: () => Promise<HostCapacity>;
}): Promise<void> {
  const states = new Map(request.machines.list().map((machine) => [machine.spec.name, machine.state()]));
  const starting = request.record.machines
    .map(({ name, memoryMiB }) => ({ name, memoryMiB, state: states.get(name) ?? 'absent' }))
    .filter(({ state }) => ['absent', 'stopped', 'failed'].includes(state));
  try {
    checkTogether(
      starting.map(({ name, memoryMiB, state }) => ({ name, memoryMiB, isNew: state === 'absent' })),
      await request.capacity(),
    );
  } catch (error) {
    for (const { name } of starting) request.board.fail(name, failureOf(error));
    throw error;
  }
}

/** Above the sum of all steps' own deadlines: only a step that forgot its own can meet it. */
const machineDeadlineMs = 60 * 60_000;

/** Error MACHINES_FAILED, naming the machine, the step and why. */
export async function provisionMachines(request: ProvisionRequest): Promise<void> {
  const { record, board } = request;
  const outcomes = await Promise.allSettled(record.machines.map((spec) => provisionMachine(request, spec)));
  request.signal.throwIfAborted();
  const failed = new Map<string, string[]>();
  outcomes.forEach((outcome, index) => {
    if (outcome.status === 'fulfilled') return;
    const name = record.machines[index]!.name;
    board.fail(name, failureOf(outcome.reason));
    const step = board.failed(name);
    const sentence = `${step ? `step "${step.step}" failed: ` : ''}${messageOf(outcome.reason)}`;
    // The same reason on several machines, such as an image that cannot be built, is told once.
    failed.set(sentence, [...(failed.get(sentence) ?? []), name]);
  });
  request.changed();
  if (failed.size === 0) return;
  throw new PilothouseError({
    code: 'MACHINES_FAILED',
    message: [...failed].map(([sentence, names]) => `${names.join(', ')}: ${sentence}`).join('; '),
    hint: 'Retry goes on from the failed step.',
    retryable: true,
  });
}

async function provisionMachine(request: ProvisionRequest, spec: MachineSpec): Promise<void> {
  const { record, machines, pki, client, board } = request;
  await within({ ms: machineDeadlineMs, late: `${spec.name} did not come up` }, async (deadline) => {
    await machines.provision({
      spec,
      signal: AbortSignal.any([request.signal, deadline]),
      report: (report) => {
        board.record(report);
        request.changed();
      },
      payload: (machine) =>
        createNodePayload({
          cluster: record.name,
          node: { name: spec.name, address: machine.nodeAddress() },
          server: `https://${hostAddressInGuests}:${record.apiPort}`,
          networks: { pod: record.networks.pod, service: record.networks.service },
          pki,
          agentsDirectory: request.agentsDirectory,
          client,
        }),
    });
  });
}

function failureOf(error: unknown) {
  if (!(error instanceof PilothouseError)) return { code: 'UNEXPECTED', message: messageOf(error) };
  return { code: error.code, message: error.message, hint: error.hint };
}

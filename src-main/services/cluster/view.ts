// What the window and the command line see of a cluster, put together from its parts. Pure.

import type { ClusterState, ClusterView, StepView } from '../../contract';
import type { Machine } from '../../machines';
import type { SupervisorView } from '../control-plane';
import type { ClusterRecord } from './record';

export interface ClusterFacts {
  record: ClusterRecord;
  state: ClusterState;
  failure: string | undefined;
  server: string;
  kubeconfigPath: string;
  controlPlane: SupervisorView;
  /** Those that exist; the others are told as absent. */
  machines: readonly Machine[];
  /** Of a machine's process, or of "control-plane". */
  residentBytes: (name: string) => number | undefined;
  steps: (machine: string) => StepView[];
}

export function viewOf(facts: ClusterFacts): ClusterView {
  const { record } = facts;
  const machines = new Map(facts.machines.map((machine) => [machine.spec.name, machine]));
  return {
    name: record.name,
    state: facts.state,
    createdAt: record.createdAt,
    server: facts.server,
    kubeconfigPath: facts.kubeconfigPath,
    controlPlane: { ...facts.controlPlane, residentBytes: facts.residentBytes('control-plane') },
    machines: record.machines.map((spec) => {
      const machine = machines.get(spec.name);
      return {
        name: spec.name,
        state: machine?.state() ?? 'absent',
        address: machine?.nodeAddress() ?? nodeAddress(record.networks.node, spec.number),
        cpus: spec.cpus,
        memoryMiB: spec.memoryMiB,
        diskGiB: spec.diskGiB,
        residentBytes: facts.residentBytes(spec.name),
        steps: facts.steps(spec.name),
      };
    }),
    failure: facts.failure,
  };
}

/** 192.168.77.0/24 and 2 → 192.168.77.2 */
function nodeAddress(network: string, number: number): string {
  return network.replace(/\d+\/\d+$/, String(number));
}

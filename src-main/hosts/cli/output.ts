// What the command line prints. Standard output carries answers, standard error progress and errors, so that --json
// can be piped.

import type { ClusterView, MachineView, StepView } from '../../contract';
import { messageOf, PilothouseError } from '../../kit';
import { commandName } from '../../machines';

export interface Output {
  /** An answer. */
  print(text: string): void;
  /** Progress, for a person. */
  progress(text: string): void;
}

export const terminal: Output = {
  print: (text) => void process.stdout.write(`${text}\n`),
  progress: (text) => void process.stderr.write(`${text}\n`),
};

export function json(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

/** Message, hint and what a failed command printed. */
export function describeError(error: unknown, asJson: boolean): string {
  const known = error instanceof PilothouseError ? error : undefined;
  if (asJson) {
    const { code, hint, details } = known ?? { code: 'FAILED', hint: undefined, details: {} };
    return json({ error: { code, message: messageOf(error), hint, details } });
  }
  const tail = known?.details['outputTail'];
  return [
    `pilothouse: ${messageOf(error)}`,
    ...(typeof tail === 'string' && tail !== '' ? [tail.trimEnd()] : []),
    ...(known?.hint ? [known.hint] : []),
  ].join('\n');
}

/** Columns padded to their widest cell. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>(
    (all, row) => row.map((cell, column) => Math.max(all[column] ?? 0, cell.length)),
    [],
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('   ')
        .trimEnd(),
    )
    .join('\n');
}

export function describeClusters(clusters: readonly ClusterView[]): string {
  if (clusters.length === 0) return `There is no cluster. Create one: ${commandName()} up`;
  return clusters.map(describeCluster).join('\n\n');
}

export function describeCluster(cluster: ClusterView): string {
  const control = cluster.controlPlane;
  const restarts = control.restarts > 0 ? `, restarted ${control.restarts}×` : '';
  const lines = [
    `${cluster.name}: ${cluster.state}${cluster.failure ? `: ${cluster.failure}` : ''}`,
    `  API server     ${cluster.server}`,
    `  control plane  ${control.state}${restarts}${memory(control.residentBytes)}`,
    `  kubeconfig     ${cluster.kubeconfigPath}`,
  ];
  const rows = cluster.machines.map((machine) => [
    machine.name,
    machine.state,
    machine.address,
    `${machine.cpus} CPU, ${machine.memoryMiB} MiB, ${machine.diskGiB} GiB${memory(machine.residentBytes)}`,
    currentStep(machine),
  ]);
  return [
    ...lines,
    ...table(rows)
      .split('\n')
      .map((line) => `  ${line}`),
  ].join('\n');
}

function memory(bytes: number | undefined): string {
  return bytes === undefined ? '' : ` (${Math.round(bytes / 1024 / 1024)} MiB resident)`;
}

function currentStep(machine: MachineView): string {
  const step = machine.steps.find((item) => item.status === 'failed' || item.status === 'running');
  if (!step) return '';
  return step.failure ? `${step.step}: ${step.failure.message}` : `${step.step}: ${step.detail ?? step.status}`;
}

/** One line per step that changed between two views of a cluster, in order. */
export function stepLines(before: ClusterView | undefined, now: ClusterView): string[] {
  return now.machines.flatMap((machine, index) =>
    machine.steps.flatMap((step, position) => {
      const old = before?.machines[index]?.steps[position];
      const twin = now.machines.slice(0, index).find((other) => sameFailure(other.steps[position], step));
      const line = stepLine(machine.name, step, { old, twin: twin?.name });
      return line === undefined ? [] : [line];
    }),
  );
}

function sameFailure(one: StepView | undefined, other: StepView): boolean {
  return one?.failure !== undefined && one.failure.message === other.failure?.message;
}

/** `old` is the row before, `twin` a machine that has failed of the same already. */
function stepLine(
  machine: string,
  step: StepView,
  { old, twin }: { old: StepView | undefined; twin: string | undefined },
): string | undefined {
  const name = `  ${machine}  ${step.step.padEnd(12)}`;
  if (step.status === old?.status) {
    return step.status === 'running' && step.detail && step.detail !== old.detail
      ? `${name} ${step.detail}`
      : undefined;
  }
  switch (step.status) {
    case 'running':
      return `${name} ${step.detail ?? 'begun'}`;
    case 'done':
      return `${name} done${elapsed(step)}`;
    case 'skipped':
      return `${name} already so`;
    case 'failed':
      return `${name} failed${elapsed(step)}: ${twin ? `the same as ${twin}` : failureText(step)}`;
    default:
      return undefined;
  }
}

function elapsed(step: StepView): string {
  if (step.startedAt === undefined || step.finishedAt === undefined) return '';
  return ` in ${((step.finishedAt - step.startedAt) / 1000).toFixed(1)} s`;
}

const shownCommand = 200;

function commandLine(command: string, exitCode: number | undefined): string {
  const shown = command.length > shownCommand ? `${command.slice(0, shownCommand)}…` : command;
  return `    command: ${shown}${exitCode === undefined ? '' : ` (exit code ${exitCode})`}`;
}

function failureText(step: StepView): string {
  const failure = step.failure;
  if (!failure) return 'no reason given';
  return [
    failure.message,
    ...(failure.command ? [commandLine(failure.command, failure.exitCode)] : []),
    ...(failure.outputTail ? [failure.outputTail.trimEnd().replace(/^/gm, '    | ')] : []),
    ...(failure.hint ? [`    ${failure.hint}`] : []),
  ].join('\n');
}

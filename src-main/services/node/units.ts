// The systemd units of the node agents.

export interface AgentUnit {
  description: string;
  /** Bundle in the guest. */
  bundle: string;
  arguments: readonly string[];
  after: readonly string[];
  /** Most the agent's JavaScript heap may take, in MiB: a node of 1 GiB must keep its memory for Pods. */
  heapMiB: number;
}

export function renderUnit(unit: AgentUnit): string {
  return [
    '[Unit]',
    `Description=${unit.description}`,
    `After=${unit.after.join(' ')}`,
    `Wants=${unit.after.join(' ')}`,
    'StartLimitIntervalSec=0',
    '',
    '[Service]',
    `Environment=NODE_OPTIONS=--max-old-space-size=${unit.heapMiB}`,
    'Environment=NODE_ENV=production',
    `ExecStart=/usr/bin/node ${[unit.bundle, ...unit.arguments].join(' ')}`,
    'Restart=always',
    'RestartSec=2',
    // Containers are Docker's children: stopping the agent stops only itself.
    'KillMode=process',
    'TimeoutStopSec=20',
    'OOMScoreAdjust=-900',
    '',
    '[Install]',
    'WantedBy=multi-user.target',
    '',
  ].join('\n');
}

// An agent under systemd: its files, its unit, enabled, running, restarted only when something changed.

import type { NodeFile, NodePayload, ProvisioningStepName } from '../machine';
import { filesPresent, writeFiles } from './node-files';
import type { ProvisioningStep, UnitPayload } from './step';

export interface UnitStepOptions {
  name: Extract<ProvisioningStepName, 'kubelet' | 'kube-proxy'>;
  title: string;
  payload: (payload: NodePayload) => UnitPayload;
}

function filesOf(name: string, { files, unit }: UnitPayload): NodeFile[] {
  return [...files, { path: `/etc/systemd/system/${name}.service`, content: unit, mode: 0o644 }];
}

export function unitStep(options: UnitStepOptions): ProvisioningStep {
  const { name } = options;
  return {
    name,
    title: options.title,
    deadlineMs: 90_000,
    hint: `\`journalctl -u ${name}\` in the machine says why it does not stay up.`,
    async check({ session, payload, done }) {
      // Credentials are read when an agent starts.
      if (done.credentialsChanged) return false;
      const shell = await session();
      const state = await shell.run(`systemctl is-active --quiet ${name} && systemctl is-enabled --quiet ${name}`, {
        allowFailure: true,
      });
      return state.exitCode === 0 && (await filesPresent(shell, filesOf(name, options.payload(await payload()))));
    },
    async run({ session, payload, detail }) {
      const shell = await session();
      detail('copying files');
      const changed = await writeFiles(shell, filesOf(name, options.payload(await payload())));
      detail(changed.length > 0 ? 'restarting' : 'starting');
      await shell.run(
        [
          'systemctl daemon-reload',
          `systemctl enable --quiet ${name} 2>/dev/null || systemctl enable ${name}`,
          `systemctl reset-failed ${name} 2>/dev/null || true`,
          `systemctl restart ${name} && sleep 1 && systemctl is-active --quiet ${name} && exit 0`,
          `systemctl status --no-pager -n 0 ${name}; journalctl --no-pager -o cat -n 30 -u ${name}; exit 5`,
        ].join('\n'),
      );
    },
  };
}

export const kubeletStep = unitStep({ name: 'kubelet', title: 'kubelet', payload: ({ kubelet }) => kubelet });
export const kubeProxyStep = unitStep({
  name: 'kube-proxy',
  title: 'kube-proxy',
  payload: ({ kubeProxy }) => kubeProxy,
});

// An agent under systemd: its files, its unit, enabled, running, restarted only when something changed.

import { commandName } from '../command-name';
import type { NodeFile, NodePayload, ProvisioningStepName } from '../machine';
import { journal } from './journal';
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

const wants = '/etc/systemd/system/multi-user.target.wants';

export function unitStep(options: UnitStepOptions): ProvisioningStep {
  const { name } = options;
  return {
    name,
    title: options.title,
    deadlineMs: 120_000,
    late: (machine) => `${name} on ${machine} did not come up`,
    hint: (machine) =>
      `Its journal says why. Retry writes its files anew; what the machine printed: ${commandName()} logs console ${machine}`,
    diagnose: ({ session }) => journal(session, name),
    async check({ session, payload, done }) {
      // Credentials are read when an agent starts.
      if (done.credentialsChanged) return false;
      const shell = await session();
      const state = await shell.run(`systemctl is-active --quiet ${name} && [ -e ${wants}/${name}.service ]`, {
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
          // What `systemctl enable` would do, without the second reload it makes.
          `mkdir -p ${wants} && ln -sf /etc/systemd/system/${name}.service ${wants}/${name}.service`,
          'systemctl daemon-reload',
          `{ systemctl restart ${name} || { systemctl reset-failed ${name}; systemctl restart ${name}; }; } && sleep 1 && systemctl is-active --quiet ${name} && exit 0`,
          `systemctl status --no-pager -n 0 ${name}; journalctl --no-pager -o cat -n 30 -u ${name}; exit 5`,
        ].join('\n'),
        { deadlineMs: 80_000, what: `starting ${name}` },
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

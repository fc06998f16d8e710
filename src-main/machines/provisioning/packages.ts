// Step `packages`: what the image promises answers in this guest: Docker runs, the tools are there, the clock is right.

import { commandName } from '../command-name';
import { journal } from './journal';
import type { ProvisioningStep } from './step';

const tools = ['node', 'docker', 'iptables-restore', 'ipset', 'ipvsadm', 'conntrack', 'nft', 'ip', 'modprobe'];
const tolerableSkewSeconds = 2;
const ping = 'curl -fsS -m 5 --unix-socket /run/docker.sock http://docker/_ping >/dev/null 2>&1';

export const packagesStep: ProvisioningStep = {
  name: 'packages',
  title: 'Docker',
  deadlineMs: 150_000,
  late: (machine) => `Docker on ${machine} did not answer`,
  hint: (machine) => `Docker's journal says why; what the machine printed: ${commandName()} logs console ${machine}`,
  diagnose: ({ session }) => journal(session, 'docker', 'containerd'),
  async check({ session }) {
    const now = Math.floor(Date.now() / 1000);
    const script = `${ping} && command -v ${tools.join(' ')} >/dev/null && echo $(($(date +%s) - ${now}))`;
    const { exitCode, stdout } = await (await session()).run(script, {
      allowFailure: true,
      what: 'looking at Docker and the tools',
    });
    return exitCode === 0 && Math.abs(Number(stdout)) <= tolerableSkewSeconds;
  },
  async run({ session, detail }) {
    const shell = await session();
    detail('checking tools and clock');
    const now = Math.floor(Date.now() / 1000);
    await shell.run(
      [
        `for tool in ${tools.join(' ')}; do command -v $tool >/dev/null || { echo "$tool is missing in the node image"; exit 3; }; done`,
        `skew=$(($(date +%s) - ${now})); [ \${skew#-} -le ${tolerableSkewSeconds} ] || date -s @${now} >/dev/null`,
      ].join('\n'),
      { what: 'checking the tools of the node image' },
    );
    detail('waiting for Docker');
    await shell.run(
      [
        `n=0; until ${ping}; do`,
        'n=$((n+1)); if [ $n -gt 600 ] || systemctl is-failed --quiet docker; then journalctl --no-pager -n 25 -u docker -u containerd; exit 4; fi',
        'sleep 0.2; done',
      ].join('\n'),
      { deadlineMs: 140_000, what: 'starting Docker' },
    );
  },
};

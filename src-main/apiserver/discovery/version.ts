// What this server says it is: the API level it implements.

import { arch, platform } from 'node:process';

export const kubernetesVersion = { major: '1', minor: '36', gitVersion: 'v1.36.0' };

const goArchitectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64', ia32: '386' };
const goPlatforms: Readonly<Record<string, string>> = { win32: 'windows' };

/** Body of /version. */
export function versionInfo(): Record<string, string> {
  return {
    ...kubernetesVersion,
    gitCommit: 'pilothouse',
    gitTreeState: 'clean',
    buildDate: '2026-11-20T00:00:00Z',
    goVersion: `node${process.version}`,
    compiler: 'node',
    platform: `${goPlatforms[platform] ?? platform}/${goArchitectures[arch] ?? arch}`,
  };
}

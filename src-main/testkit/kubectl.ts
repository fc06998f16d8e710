// Stock kubectl binaries of this machine, run against a server under test.

import { execFile } from 'node:child_process';
import { accessSync, constants, readdirSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

export interface KubectlResult {
  code: number;
  stdout: string;
  stderr: string;
}

export interface KubectlOptions {
  kubeconfig: string;
  home: string;
  input?: string;
  /** Default: the first on the path. */
  binary?: string;
}

const deadlineMs = 30_000;

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The kubectl on the path; undefined when there is none. */
export function findKubectl(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return folders.map((folder) => join(folder, 'kubectl')).find(isExecutable);
}

/** Further versions (`kubectl.1.NN`) in the folder that the kubectl on the path really lies in. */
export function installedVersions(): string[] {
  const found = findKubectl();
  if (!found) return [];
  const folder = dirname(realpathSync(found));
  try {
    return readdirSync(folder)
      .filter((name) => /^kubectl\.1\.\d+$/.test(name))
      .map((name) => join(folder, name))
      .filter(isExecutable);
  } catch {
    return [];
  }
}

/** Runs kubectl to its end; never throws for a failed command. */
export function kubectl(options: KubectlOptions, ...args: string[]): Promise<KubectlResult> {
  const { kubeconfig, home, input, binary = findKubectl() ?? 'kubectl' } = options;
  return new Promise((resolve) => {
    const child = execFile(
      binary,
      args,
      { env: { ...process.env, KUBECONFIG: kubeconfig, HOME: home }, timeout: deadlineMs, maxBuffer: 32 * 1024 * 1024 },
      (error, stdout, stderr) => {
        const code = error ? (typeof error.code === 'number' ? error.code : 1) : 0;
        resolve({ code, stdout, stderr });
      },
    );
    child.stdin?.end(input ?? '');
  });
}

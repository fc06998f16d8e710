// The kubeconfig of one cluster: its administrator, with everything embedded, so that the file works wherever it is
// copied on this computer.

import { stringify } from 'yaml';
import type { CertificatePair } from '../pki';

export interface KubeconfigRequest {
  /** Name of its cluster, user and context. */
  entry: string;
  /** https://127.0.0.1:6443 */
  server: string;
  /** PEM. */
  certificateAuthority: string;
  user: CertificatePair;
}

export interface KubeconfigEntries {
  cluster: { name: string; cluster: Record<string, string> };
  user: { name: string; user: Record<string, string> };
  context: { name: string; context: { cluster: string; user: string } };
}

const base64 = (pem: string) => Buffer.from(pem).toString('base64');

/** `pilothouse-default` */
export function contextName(cluster: string): string {
  return `pilothouse-${cluster}`;
}

export function kubeconfigEntries(request: KubeconfigRequest): KubeconfigEntries {
  const { entry } = request;
  return {
    cluster: {
      name: entry,
      cluster: {
        server: request.server,
        'certificate-authority-data': base64(request.certificateAuthority),
      },
    },
    user: {
      name: entry,
      user: {
        'client-certificate-data': base64(request.user.certificate),
        'client-key-data': base64(request.user.key),
      },
    },
    context: { name: entry, context: { cluster: entry, user: entry } },
  };
}

export function renderKubeconfig(request: KubeconfigRequest): string {
  const { cluster, user, context } = kubeconfigEntries(request);
  return stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [cluster],
      users: [user],
      contexts: [context],
      'current-context': request.entry,
      preferences: {},
    },
    { lineWidth: 0 },
  );
}

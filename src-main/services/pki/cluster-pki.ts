// The keys and certificates of one cluster, in its `pki` folder under kubeadm's names, 0600. What is present, signed by
// the present CA and good for another while is used again; the rest is made anew. The CA and the service account key
// are never replaced: everything issued before would stop working.

import { X509Certificate } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readFileIfPresent, writeFileAtomic } from '../files';
import {
  type CertificatePair,
  createCertificateAuthority,
  createPrivateKeyPem,
  issueCertificate,
  type LeafRequest,
} from './certificate';

const authorityDays = 3650;
const leafDays = 3 * 365;
/** A certificate that ends sooner than this is replaced at the next start. */
const renewBeforeMs = 90 * 24 * 60 * 60 * 1000;

export interface NodeCertificates {
  /** system:node:NAME in system:nodes, for the kubelet as a client. */
  kubeletClient: CertificatePair;
  /** The kubelet's own HTTPS port. */
  kubeletServing: CertificatePair;
}

export interface ClusterPki {
  ca: CertificatePair;
  apiServer: CertificatePair;
  apiServerKubeletClient: CertificatePair;
  admin: CertificatePair;
  controllerManager: CertificatePair;
  scheduler: CertificatePair;
  kubeProxy: CertificatePair;
  /** Signs service account tokens. */
  serviceAccountKey: string;
  node(request: { name: string; address: string }): Promise<NodeCertificates>;
}

/** Names and addresses by which the API server is reached: from this computer, from a QEMU guest, from a Pod. */
export const apiServerNames = {
  dnsNames: [
    'localhost',
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    'kubernetes.default.svc.cluster.local',
  ],
  ipAddresses: ['127.0.0.1', '10.0.2.2', '10.96.0.1'],
} as const;

/** Opens the PKI of a cluster, making what is missing. `now` decides about renewal, for tests. */
export async function openClusterPki(directory: string, now: () => Date = () => new Date()): Promise<ClusterPki> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const ca = await openAuthority(directory, now);
  const leaf = (name: string, request: Omit<LeafRequest, 'validDays'>) =>
    openLeaf({ directory, name, ca, now, request: { ...request, validDays: leafDays } });
  const client = (name: string, commonName: string, organizations: string[] = []) =>
    leaf(name, { usage: 'client', subject: { commonName, organizations } });
  return {
    ca,
    apiServer: await leaf('apiserver', {
      usage: 'server',
      subject: { commonName: 'kube-apiserver' },
      ...apiServerNames,
    }),
    apiServerKubeletClient: await client('apiserver-kubelet-client', 'kube-apiserver-kubelet-client', [
      'system:masters',
    ]),
    admin: await client('admin', 'kubernetes-admin', ['system:masters']),
    controllerManager: await client('controller-manager', 'system:kube-controller-manager'),
    scheduler: await client('scheduler', 'system:kube-scheduler'),
    kubeProxy: await client('kube-proxy', 'system:kube-proxy'),
    serviceAccountKey: await openServiceAccountKey(directory),
    async node({ name, address }) {
      return {
        kubeletClient: await client(`node-${name}-kubelet-client`, `system:node:${name}`, ['system:nodes']),
        kubeletServing: await leaf(`node-${name}-kubelet`, {
          usage: 'server',
          subject: { commonName: `system:node:${name}`, organizations: ['system:nodes'] },
          dnsNames: [name],
          ipAddresses: [address],
        }),
      };
    },
  };
}

async function openAuthority(directory: string, now: () => Date): Promise<CertificatePair> {
  const present = await readPair(directory, 'ca');
  if (present) return present;
  const made = await createCertificateAuthority({
    subject: { commonName: 'kubernetes' },
    validDays: authorityDays,
    now: now(),
  });
  await writePair(directory, 'ca', made);
  return made;
}

interface OpenLeaf {
  directory: string;
  name: string;
  ca: CertificatePair;
  now: () => Date;
  request: LeafRequest;
}

async function openLeaf({ directory, name, ca, now, request }: OpenLeaf): Promise<CertificatePair> {
  const present = await readPair(directory, name);
  if (present && isUsable({ present, ca, now: now(), request })) return present;
  const made = await issueCertificate(ca, { ...request, now: now() });
  await writePair(directory, name, made);
  return made;
}

function isUsable(question: {
  present: CertificatePair;
  ca: CertificatePair;
  now: Date;
  request: LeafRequest;
}): boolean {
  const certificate = new X509Certificate(question.present.certificate);
  const authority = new X509Certificate(question.ca.certificate);
  if (!certificate.checkIssued(authority) || !certificate.verify(authority.publicKey)) return false;
  if (Date.parse(certificate.validTo) - question.now.getTime() < renewBeforeMs) return false;
  const { dnsNames = [], ipAddresses = [] } = question.request;
  return (
    dnsNames.every((name) => certificate.checkHost(name, { subject: 'never' }) !== undefined) &&
    ipAddresses.every((address) => certificate.checkIP(address) !== undefined)
  );
}

async function openServiceAccountKey(directory: string): Promise<string> {
  const path = join(directory, 'sa.key');
  const present = await readFileIfPresent(path);
  if (present) return present;
  const made = await createPrivateKeyPem();
  await writeFileAtomic(path, made);
  return made;
}

async function readPair(directory: string, name: string): Promise<CertificatePair | undefined> {
  const certificate = await readFileIfPresent(join(directory, `${name}.crt`));
  const key = await readFileIfPresent(join(directory, `${name}.key`));
  return certificate && key ? { certificate, key } : undefined;
}

/** The key goes first: a certificate on disk always has its key beside it. */
async function writePair(directory: string, name: string, pair: CertificatePair): Promise<void> {
  await writeFileAtomic(join(directory, `${name}.key`), pair.key);
  await writeFileAtomic(join(directory, `${name}.crt`), pair.certificate);
}

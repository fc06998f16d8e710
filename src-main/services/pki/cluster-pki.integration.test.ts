import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer, type PeerCertificate, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { apiServerNames, type ClusterPki, openClusterPki } from './cluster-pki';

let directory: string;
let pki: ClusterPki;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pilothouse-pki-'));
  pki = await openClusterPki(directory);
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** One mutual TLS handshake; what the server saw of the client. */
async function handshake(client: { certificate: string; key: string }, serverName: string): Promise<PeerCertificate> {
  const server = createServer({
    cert: pki.apiServer.certificate,
    key: pki.apiServer.key,
    ca: pki.ca.certificate,
    requestCert: true,
    rejectUnauthorized: true,
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const socket = connect({
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    servername: serverName,
    ca: pki.ca.certificate,
    cert: client.certificate,
    key: client.key,
  });
  try {
    return await new Promise<PeerCertificate>((resolve, reject) => {
      server.on('secureConnection', (peer: TLSSocket) => resolve(peer.getPeerCertificate()));
      socket.on('error', reject);
    });
  } finally {
    socket.destroy();
    server.close();
  }
}

describe('the PKI of a cluster', () => {
  it('lets node TLS verify the API server and its clients both ways', async () => {
    const peer = await handshake(pki.admin, 'kubernetes.default.svc');
    expect(peer.subject.CN).toBe('kubernetes-admin');
    expect(peer.subject.O).toBe('system:masters');
  });

  it('names every address the API server is reached at', () => {
    const certificate = new X509Certificate(pki.apiServer.certificate);
    for (const name of apiServerNames.dnsNames) expect(certificate.checkHost(name)).toBe(name);
    for (const address of apiServerNames.ipAddresses) expect(certificate.checkIP(address)).toBe(address);
    expect(certificate.checkIP('192.0.2.1')).toBeUndefined();
  });

  it('gives a node its identity and a serving certificate for its address', async () => {
    const node = await pki.node({ name: 'default-1', address: '192.168.77.1' });
    const peer = await handshake(node.kubeletClient, 'localhost');
    expect(peer.subject.CN).toBe('system:node:default-1');
    expect(peer.subject.O).toBe('system:nodes');
    const serving = new X509Certificate(node.kubeletServing.certificate);
    expect(serving.checkHost('default-1')).toBe('default-1');
    expect(serving.checkIP('192.168.77.1')).toBe('192.168.77.1');
  });

  it('keeps files private and uses them again', async () => {
    expect((await stat(join(directory, 'ca.key'))).mode & 0o777).toBe(0o600);
    const again = await openClusterPki(directory);
    expect(again.ca).toEqual(pki.ca);
    expect(again.admin).toEqual(pki.admin);
    expect(again.serviceAccountKey).toBe(await readFile(join(directory, 'sa.key'), 'utf8'));
  });

  it('replaces what is about to end, but never the CA', async () => {
    const later = await openClusterPki(directory, () => new Date(Date.now() + (3 * 365 - 30) * 86_400_000));
    expect(later.ca).toEqual(pki.ca);
    expect(later.admin.certificate).not.toBe(pki.admin.certificate);
  });

  it('gives every certificate its own serial', () => {
    const pairs = [pki.ca, pki.apiServer, pki.apiServerKubeletClient, pki.admin, pki.scheduler, pki.kubeProxy];
    const serials = pairs.map((pair) => new X509Certificate(pair.certificate).serialNumber);
    expect(new Set(serials).size).toBe(serials.length);
    for (const serial of serials) expect(serial).toMatch(/^[0-9A-F]{32}$/);
  });
});

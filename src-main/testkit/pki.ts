// A certificate authority for tests, and what it signs. EC P-256, valid for a day around now.

import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const dayMs = 24 * 60 * 60 * 1000;

/** PEM. */
export interface KeyPair {
  cert: string;
  key: string;
}

export interface TestAuthority {
  /** The CA's certificate, PEM. */
  ca: string;
  /** A server certificate for these names and addresses. */
  server(name: string, alternatives: { dns: string[]; ip: string[] }): Promise<KeyPair>;
  /** A client certificate: common name and organizations. */
  client(name: string, groups: string[]): Promise<KeyPair>;
}

function pem(label: string, data: ArrayBuffer): string {
  const text = Buffer.from(data)
    .toString('base64')
    .match(/.{1,64}/g)!
    .join('\n');
  return `-----BEGIN ${label}-----\n${text}\n-----END ${label}-----\n`;
}

function generate(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>;
}

function subject(name: string, groups: readonly string[]): x509.JsonName {
  return [...groups.map((group) => ({ O: [group] })), { CN: [name] }];
}

let serial = 1;
const nextSerial = (): string => (serial++).toString(16).padStart(8, '0');

export async function createTestAuthority(): Promise<TestAuthority> {
  x509.cryptoProvider.set(webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[1]);
  const keys = await generate();
  const validity = { notBefore: new Date(Date.now() - dayMs), notAfter: new Date(Date.now() + dayMs) };
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: nextSerial(),
    name: subject('pilothouse-test-ca', []),
    ...validity,
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  const issue = async (name: x509.JsonName, extensions: x509.Extension[]): Promise<KeyPair> => {
    const own = await generate();
    const cert = await x509.X509CertificateGenerator.create({
      serialNumber: nextSerial(),
      subject: name,
      issuer: ca.subjectName,
      ...validity,
      signingAlgorithm: algorithm,
      publicKey: own.publicKey,
      signingKey: keys.privateKey,
      extensions,
    });
    const key = await webcrypto.subtle.exportKey('pkcs8', own.privateKey);
    return { cert: `${cert.toString('pem')}\n`, key: pem('PRIVATE KEY', key) };
  };
  return {
    ca: `${ca.toString('pem')}\n`,
    server: (name, { dns, ip }) =>
      issue(subject(name, []), [
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension([
          ...dns.map((value) => ({ type: 'dns' as const, value })),
          ...ip.map((value) => ({ type: 'ip' as const, value })),
        ]),
      ]),
    client: (name, groups) =>
      issue(subject(name, groups), [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth])]),
  };
}

// Making keys and X.509 certificates: ECDSA P-256, SHA-256, random serials. Knows nothing of clusters.

import 'reflect-metadata';
import { createPrivateKey, randomBytes, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const day = 24 * 60 * 60 * 1000;

x509.cryptoProvider.set(webcrypto);

/** A certificate with its private key (PKCS #8), both PEM. */
export interface CertificatePair {
  certificate: string;
  key: string;
}

export interface Subject {
  commonName: string;
  organizations?: readonly string[];
}

export interface LeafRequest {
  subject: Subject;
  usage: 'client' | 'server' | 'both';
  dnsNames?: readonly string[];
  ipAddresses?: readonly string[];
  /** Whole days, 1 to 3650. */
  validDays: number;
  now?: Date;
}

export async function createCertificateAuthority(request: {
  subject: Subject;
  validDays: number;
  now?: Date;
}): Promise<CertificatePair> {
  const keys = await createKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: randomSerial(),
    name: distinguishedName(request.subject),
    ...validity(request),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign | x509.KeyUsageFlags.digitalSignature,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: pem(certificate), key: await exportKey(keys.privateKey) };
}

/** A certificate signed by `authority`. */
export async function issueCertificate(authority: CertificatePair, request: LeafRequest): Promise<CertificatePair> {
  const issuer = new x509.X509Certificate(authority.certificate);
  const keys = await createKeys();
  const names: x509.JsonGeneralNames = [
    ...(request.dnsNames ?? []).map((value) => ({ type: 'dns' as const, value })),
    ...(request.ipAddresses ?? []).map((value) => ({ type: 'ip' as const, value })),
  ];
  const usages = [
    ...(request.usage === 'server' ? [] : [x509.ExtendedKeyUsage.clientAuth]),
    ...(request.usage === 'client' ? [] : [x509.ExtendedKeyUsage.serverAuth]),
  ];
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: randomSerial(),
    subject: distinguishedName(request.subject),
    issuer: issuer.subject,
    ...validity(request),
    publicKey: keys.publicKey,
    signingKey: await importKey(authority.key),
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(usages),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
    ],
  });
  return { certificate: pem(certificate), key: await exportKey(keys.privateKey) };
}

/** A private key alone (PKCS #8 PEM), as service account tokens are signed with. */
export async function createPrivateKeyPem(): Promise<string> {
  return exportKey((await createKeys()).privateKey);
}

function createKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key));
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    .export({ format: 'pem', type: 'pkcs8' })
    .toString();
}

function importKey(key: string): Promise<webcrypto.CryptoKey> {
  const der = createPrivateKey(key).export({ format: 'der', type: 'pkcs8' });
  return webcrypto.subtle.importKey('pkcs8', new Uint8Array(der), algorithm, false, ['sign']);
}

function distinguishedName(subject: Subject): x509.JsonName {
  return [...(subject.organizations ?? []).map((name) => ({ O: [name] })), { CN: [subject.commonName] }];
}

/** 16 random bytes; the first bit 0 keeps the ASN.1 integer positive, the second 1 keeps it from being shortened. */
function randomSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return bytes.toString('hex');
}

/** Begins an hour ago: a guest's clock may be a little behind. */
function validity(request: { validDays: number; now?: Date }): { notBefore: Date; notAfter: Date } {
  const now = (request.now ?? new Date()).getTime();
  return { notBefore: new Date(now - 60 * 60 * 1000), notAfter: new Date(now + request.validDays * day) };
}

function pem(certificate: x509.X509Certificate): string {
  return `${certificate.toString('pem').trim()}\n`;
}

// The cluster's own SSH key pair: ed25519, made by node:crypto, in the formats ssh2 and sshd read.

import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface ClusterKey {
  /** OpenSSH private key file, PEM-armoured. */
  privateKey: string;
  /** The base64 middle part of the public key line, fit for a kernel command line. */
  publicKey: string;
}

const algorithm = 'ssh-ed25519';

/** A string of the SSH wire format (RFC 4251): length, then bytes. */
function wireString(value: Buffer | string): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function rawPublicKey(key: KeyObject): Buffer {
  return Buffer.from(key.export({ format: 'jwk' }).x!, 'base64url');
}

/** The public key blob of RFC 8709. */
export function publicKeyBlob(key: KeyObject): Buffer {
  return Buffer.concat([wireString(algorithm), wireString(rawPublicKey(key))]);
}

/** The unencrypted openssh-key-v1 container (PROTOCOL.key of OpenSSH). */
export function encodePrivateKey(privateKey: KeyObject, comment: string, check = randomBytes(4)): string {
  const publicKey = createPublicKey(privateKey);
  const seed = Buffer.from(privateKey.export({ format: 'jwk' }).d!, 'base64url');
  const blob = publicKeyBlob(publicKey);
  const count = Buffer.from([0, 0, 0, 1]);
  const secret = Buffer.concat([
    check,
    check,
    blob,
    wireString(Buffer.concat([seed, rawPublicKey(publicKey)])),
    wireString(comment),
  ]);
  const padding = Buffer.from(Array.from({ length: (8 - (secret.length % 8)) % 8 }, (_, index) => index + 1));
  const container = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    wireString('none'),
    wireString('none'),
    wireString(''),
    count,
    wireString(blob),
    wireString(Buffer.concat([secret, padding])),
  ]);
  const lines = container.toString('base64').match(/.{1,70}/g) ?? [];
  return ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join('\n');
}

export function generateClusterKey(): ClusterKey {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    privateKey: encodePrivateKey(privateKey, 'pilothouse'),
    publicKey: publicKeyBlob(publicKey).toString('base64'),
  };
}

/** Reads the key pair kept at `path` and `path.pub`, or makes it. The private file is only readable by its owner. */
export async function loadClusterKey(path: string): Promise<ClusterKey> {
  try {
    const [privateKey, line] = await Promise.all([readFile(path, 'utf8'), readFile(`${path}.pub`, 'utf8')]);
    return { privateKey, publicKey: line.split(' ')[1]! };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const key = generateClusterKey();
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  // The public file first: a private key without it is made anew, and no machine has seen it yet.
  await writeFile(`${path}.pub`, `${algorithm} ${key.publicKey} pilothouse\n`);
  await writeFile(`${path}.new`, key.privateKey, { mode: 0o600 });
  await rename(`${path}.new`, path);
  return key;
}

/** A host key as OpenSSH shows it: `SHA256:` and unpadded base64. */
export function fingerprintOf(hostKey: Buffer): string {
  return `SHA256:${createHash('sha256').update(hostKey).digest('base64').replace(/=+$/, '')}`;
}

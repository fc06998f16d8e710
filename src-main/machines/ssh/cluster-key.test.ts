import { createPrivateKey, createPublicKey } from 'node:crypto';
import ssh2 from 'ssh2';
import { describe, expect, it } from 'vitest';
import { encodePrivateKey, fingerprintOf, generateClusterKey, publicKeyBlob } from './cluster-key';

describe('cluster key', () => {
  it('writes a private key that ssh2 reads back with the same public part', () => {
    const key = generateClusterKey();
    const parsed = ssh2.utils.parseKey(key.privateKey);
    if (parsed instanceof Error) throw parsed;
    expect(parsed.type).toBe('ssh-ed25519');
    expect(parsed.isPrivateKey()).toBe(true);
    expect(parsed.getPublicSSH().toString('base64')).toBe(key.publicKey);
  });

  it('lays out the container as OpenSSH does', () => {
    const seed = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, 7)]);
    const key = createPrivateKey({ key: seed, format: 'der', type: 'pkcs8' });
    const text = encodePrivateKey(key, 'c', Buffer.from([1, 2, 3, 4]));
    const bytes = Buffer.from(text.split('\n').slice(1, -2).join(''), 'base64');
    expect(bytes.subarray(0, 15).toString('latin1')).toBe('openssh-key-v1\0');
    expect(bytes.includes(publicKeyBlob(createPublicKey(key)))).toBe(true);
    expect(bytes.length % 8).toBe((15 + 8 + 8 + 4 + 4 + 4 + 51 + 4) % 8);
  });

  it('shows fingerprints without padding', () => {
    expect(fingerprintOf(Buffer.from('x'))).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/);
  });
});

import { Metadata } from '@grpc/grpc-js';
import type { PeerCertificate } from 'node:tls';
import { expect, it } from 'vitest';
import type { AuthStore } from './auth-store';
import { userOf } from './authorizer';

const auth = { tokens: { userOf: (token: string) => (token === 'good' ? 'anna' : undefined) } } as unknown as AuthStore;
const certificate = { subject: { CN: 'bert' } } as PeerCertificate;

function metadata(entries: Record<string, string>): Metadata {
  const made = new Metadata();
  for (const [key, value] of Object.entries(entries)) made.set(key, value);
  return made;
}

it.each([
  ['a token', { token: 'good' }, undefined, 'anna'],
  ['a bearer token', { authorization: 'Bearer good' }, undefined, 'anna'],
  ['a token rather than the certificate', { token: 'good' }, certificate, 'anna'],
  ['the common name of a certificate', {}, certificate, 'bert'],
])('knows the caller by %s', (_title, entries, peerCertificate, expected) => {
  expect(userOf(auth, { metadata: metadata(entries), peerCertificate })).toBe(expected);
});

it.each([
  [{ token: 'old' }, certificate, /invalid auth token/],
  [{}, undefined, /user name is empty/],
])('refuses %j', (entries, peerCertificate, message) => {
  expect(() => userOf(auth, { metadata: metadata(entries), peerCertificate })).toThrow(message);
});

// Passwords are kept as scrypt hashes, each with a salt of its own.

import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/** "salt:hash", both base64. */
export type PasswordHash = string;

const saltBytes = 16;
const hashBytes = 32;

export async function hashPassword(password: string): Promise<PasswordHash> {
  const salt = randomBytes(saltBytes);
  const hash = await derive(password, salt);
  return `${salt.toString('base64')}:${hash.toString('base64')}`;
}

/** Takes as long without a hash as with one, so that nobody learns which users there are. */
export async function passwordMatches(password: string, stored: PasswordHash | undefined): Promise<boolean> {
  const [salt = '', hash = ''] = (stored ?? '').split(':');
  const expected = Buffer.from(hash, 'base64');
  const given = await derive(password, Buffer.from(salt, 'base64'));
  return expected.length === given.length && timingSafeEqual(expected, given);
}

function derive(password: string, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize(), salt, hashBytes, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

// Names of objects created with generateName: the base and five random characters that spell no words.

import { randomInt } from 'node:crypto';

const alphabet = 'bcdfghjklmnpqrstvwxz2456789';
const suffixLength = 5;
const maxLength = 63;

export function generatedName(base: string): string {
  let suffix = '';
  for (let i = 0; i < suffixLength; i++) suffix += alphabet[randomInt(alphabet.length)];
  return base.slice(0, maxLength - suffixLength) + suffix;
}

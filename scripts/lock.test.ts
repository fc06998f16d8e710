import { expect, it } from 'vitest';
import { completeLock, type Lock, platformOf } from './lock';

it.each([
  ['@biomejs/cli-linux-arm64-musl', { cpu: ['arm64'], os: ['linux'], libc: ['musl'] }],
  ['@tailwindcss/oxide-linux-x64-gnu', { cpu: ['x64'], os: ['linux'], libc: ['glibc'] }],
  ['@tailwindcss/oxide-wasm32-wasi', { cpu: ['wasm32'] }],
  ['@lmdb/lmdb-darwin-arm64', { cpu: ['arm64'], os: ['darwin'] }],
  ['fsevents', undefined],
])('reads the platform of %s from its name', (name, platform) => {
  expect(platformOf(name)).toEqual(platform);
});

it('enters the optional packages a mirror did not have, and nothing else', () => {
  const optionalDependencies = { '@x/cli-linux-x64': '1.0.0', '@x/cli-win32-x64': '1.0.0', fsevents: '2.0.0' };
  const lock: Lock = {
    packages: {
      'node_modules/@x/cli': { version: '1.0.0', dev: true, optionalDependencies },
      'node_modules/@x/cli-linux-x64': { version: '1.0.0' },
    },
  };
  expect(completeLock(lock)).toBe(1);
  expect(lock.packages['node_modules/@x/cli-win32-x64']).toEqual({
    version: '1.0.0',
    dev: true,
    optional: true,
    cpu: ['x64'],
    os: ['win32'],
  });
});

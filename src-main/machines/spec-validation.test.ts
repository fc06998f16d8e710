import { describe, expect, it } from 'vitest';
import { PilothouseError } from '../kit';
import { validateSpec } from './spec-validation';

const spec = { name: 'node-1', number: 1, cpus: 1, memoryMiB: 1024, diskGiB: 12 };
const host = { cpus: 2, memoryMiB: 8000, freeMemoryMiB: 4000, freeDiskGiB: 10, machines: 254 };
const fresh = { running: false, hasDisk: false };

function codeOf(change: object, capacity: object = {}, options: object = {}): string {
  try {
    validateSpec({ ...spec, ...change }, { ...host, ...capacity }, { ...fresh, ...options });
    return 'ok';
  } catch (error) {
    if (!(error instanceof PilothouseError)) throw error;
    return [error.code, error.details.field].filter(Boolean).join(' ');
  }
}

describe('validateSpec', () => {
  it.each([
    [{}, 'ok'],
    [{ name: 'Node 1' }, 'INVALID_MACHINE_SPEC name'],
    [{ name: '-a' }, 'INVALID_MACHINE_SPEC name'],
    [{ name: 'a'.repeat(64) }, 'INVALID_MACHINE_SPEC name'],
    [{ number: 0 }, 'INVALID_MACHINE_SPEC number'],
    [{ number: 255 }, 'INVALID_MACHINE_SPEC number'],
    [{ cpus: 3 }, 'INVALID_MACHINE_SPEC cpus'],
    [{ cpus: 1.5 }, 'INVALID_MACHINE_SPEC cpus'],
    [{ memoryMiB: 511 }, 'INVALID_MACHINE_SPEC memoryMiB'],
    [{ memoryMiB: 9000 }, 'INVALID_MACHINE_SPEC memoryMiB'],
    [{ memoryMiB: Number.NaN }, 'INVALID_MACHINE_SPEC memoryMiB'],
    [{ diskGiB: 3 }, 'INVALID_MACHINE_SPEC diskGiB'],
    [{ memoryMiB: 5000 }, 'HOST_MEMORY'],
  ])('%j is %s', (change, code) => {
    expect(codeOf(change)).toBe(code);
  });

  it('does not ask for free memory or disk again from a machine that has them', () => {
    expect(codeOf({ memoryMiB: 5000 }, {}, { running: true })).toBe('ok');
    expect(codeOf({}, { freeDiskGiB: 0.2 })).toBe('DISK_SPACE');
    expect(codeOf({}, { freeDiskGiB: 0.2 }, { hasDisk: true })).toBe('ok');
  });
});

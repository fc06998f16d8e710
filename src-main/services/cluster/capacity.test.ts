import { describe, expect, it } from 'vitest';
import { checkCapacity, checkTogether, type HostCapacity } from './capacity';

const host: HostCapacity = { cpus: 2, memoryMiB: 8192, freeMemoryMiB: 4096, freeDiskGiB: 10 };
const request = { name: 'dev', nodes: 2, cpus: 1, memoryMiB: 1024, diskGiB: 10 };

describe('a new cluster', () => {
  it.each([
    ['more CPUs than there are', { cpus: 3 }, 'NOT_ENOUGH_CPUS', 'cpus'],
    ['more memory than there is', { memoryMiB: 5000 }, 'NOT_ENOUGH_MEMORY', 'memoryMiB'],
    ['more memory together than is free', { memoryMiB: 3000 }, 'NOT_ENOUGH_MEMORY', 'memoryMiB'],
    ['more disk than is free', { nodes: 9, memoryMiB: 400 }, 'NOT_ENOUGH_DISK', 'nodes'],
  ])('is refused for %s', (_, change, code, field) => {
    expect(() => checkCapacity({ ...request, ...change }, host)).toThrow(
      expect.objectContaining({ code, details: { field } }),
    );
  });

  it('that fits is let through', () => expect(() => checkCapacity(request, host)).not.toThrow());
});

describe('machines started together', () => {
  const machines = [
    { name: 'dev-1', memoryMiB: 3000, isNew: false },
    { name: 'dev-2', memoryMiB: 3000, isNew: true },
  ];

  it('are refused when only each alone would fit', () => {
    expect(() => checkTogether(machines.slice(0, 1), host)).not.toThrow();
    expect(() => checkTogether(machines, host)).toThrow(
      'dev-1, dev-2 together need 6000 MiB of memory, 4096 MiB are free',
    );
  });

  it('need disk only when they are new', () => {
    const full = { ...host, freeMemoryMiB: 8192, freeDiskGiB: 0.5 };
    expect(() => checkTogether(machines.slice(0, 1), full)).not.toThrow();
    expect(() => checkTogether(machines, full)).toThrow('dev-2 needs about 1 GiB of disk');
  });
});

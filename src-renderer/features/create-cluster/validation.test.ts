import { describe, expect, it } from 'vitest';
import type { HostView } from '../../../src-main/contract';
import { emptyEtcd, etcdOf, freeName, problemsOf, sensibleDefaults, totalsOf } from './validation';

const good = { name: 'dev', nodes: 2, cpus: 1, memoryMiB: 1024, diskGiB: 10 };

describe('problemsOf', () => {
  it('accepts what the host accepts', () => {
    expect(problemsOf(good, [])).toEqual({});
  });

  it.each([
    [{ name: '' }, { name: { key: 'required' } }],
    [{ name: 'Dev' }, { name: { key: 'nameFormat' } }],
    [{ name: 'dev-' }, { name: { key: 'nameFormat' } }],
    [{ name: 'a'.repeat(31) }, { name: { key: 'tooLong', limit: 30 } }],
    [{ nodes: 0 }, { nodes: { key: 'min', limit: 1 } }],
    [{ nodes: 21 }, { nodes: { key: 'max', limit: 20 } }],
    [{ nodes: 1.5 }, { nodes: { key: 'whole' } }],
    [{ memoryMiB: Number.NaN }, { memoryMiB: { key: 'whole' } }],
    [
      { memoryMiB: 100, diskGiB: 1 },
      { memoryMiB: { key: 'min', limit: 512 }, diskGiB: { key: 'min', limit: 4 } },
    ],
  ])('%j', (change, problems) => {
    expect(problemsOf({ ...good, ...change }, [])).toEqual(problems);
  });

  it.each([
    [{ endpoints: ' ' }, {}],
    [{ endpoints: 'https://a:2379 https://b:2379', caFile: '/ca.pem' }, {}],
    [{ endpoints: 'a:2379' }, { 'etcd.endpoints': { key: 'etcdUrl' } }],
    [{ caFile: '/ca.pem' }, { 'etcd.endpoints': { key: 'etcdMissing' } }],
    [{ endpoints: 'http://a:2379', caFile: '/ca.pem' }, { 'etcd.endpoints': { key: 'etcdSecure' } }],
    [{ endpoints: 'https://a:2379', caFile: 'ca.pem' }, { 'etcd.caFile': { key: 'filePath' } }],
    [{ endpoints: 'https://a:2379', certFile: '/me.pem' }, { 'etcd.keyFile': { key: 'filePair' } }],
  ])('an etcd %j', (draft, problems) => {
    expect(problemsOf({ ...good, ...etcdOf({ ...emptyEtcd(), ...draft }) }, [])).toEqual(problems);
  });

  it('knows which names are taken', () => {
    expect(problemsOf(good, ['dev'])).toEqual({ name: { key: 'taken' } });
    expect(freeName(['dev', 'dev-2'])).toBe('dev-3');
  });
});

describe('sensibleDefaults and totalsOf', () => {
  const host = { cpus: 2, memoryMiB: 24_000, freeMemoryMiB: 20_000, freeDiskGiB: 100 } as HostView;

  it('fit the computer', () => {
    expect(sensibleDefaults(host, [])).toEqual({ name: 'dev', nodes: 2, cpus: 1, memoryMiB: 2048, diskGiB: 10 });
    const small = { ...host, freeMemoryMiB: 2500, freeDiskGiB: 6 };
    expect(sensibleDefaults(small, ['dev'])).toEqual({ name: 'dev-2', nodes: 1, cpus: 1, memoryMiB: 1024, diskGiB: 4 });
    expect(problemsOf(sensibleDefaults(undefined, []), [])).toEqual({});
  });

  it('adds up, and survives fields that are not numbers', () => {
    expect(totalsOf({ ...good, nodes: 3 })).toEqual({ cpus: 3, memoryMiB: 3072, diskGiB: 30 });
    expect(totalsOf({ ...good, nodes: Number.NaN })).toEqual({ cpus: 0, memoryMiB: 0, diskGiB: 0 });
  });
});

import { describe, expect, it } from 'vitest';
import { parseServeFlags, type ServeFlags } from './serve-flags';

const flags: ServeFlags = {
  dataDir: 'data',
  name: 'default',
  listenClientUrls: 'http://127.0.0.1:2379',
  quotaBackendBytes: '0',
  maxRequestBytes: '1572864',
  autoCompactionMode: 'periodic',
  autoCompactionRetention: '0',
};

describe('flags of store serve', () => {
  it('have the defaults of etcd', () => {
    expect(parseServeFlags(flags)).toEqual({
      directory: 'data',
      name: 'default',
      listen: [{ host: '127.0.0.1', port: 2379 }],
      listenMetrics: [],
      tls: undefined,
      quotaBytes: 2 * 1024 * 1024 * 1024,
      maxRequestBytes: 1_572_864,
      compaction: undefined,
    });
  });

  it('are read', () => {
    const read = parseServeFlags({
      ...flags,
      listenClientUrls: 'https://[::1]:1, https://localhost:2',
      certFile: 'c',
      keyFile: 'k',
      trustedCaFile: 'ca',
      clientCertAuth: true,
      autoCompactionRetention: '2',
    });
    expect(read.listen).toEqual([
      { host: '::1', port: 1 },
      { host: 'localhost', port: 2 },
    ]);
    expect(read.tls).toEqual({ certFile: 'c', keyFile: 'k', trustedCaFile: 'ca', clientCertAuth: true });
    expect(read.compaction).toEqual({ mode: 'periodic', keepMs: 7_200_000 });
  });

  it.each([
    [{ listenClientUrls: '127.0.0.1:2379' }, '--listen-client-urls'],
    [{ listenClientUrls: 'http://h:99999' }, '--listen-client-urls'],
    [{ listenClientUrls: 'http://a:1,https://b:2' }, '--listen-client-urls'],
    [{ certFile: 'c' }, '--listen-client-urls'],
    [{ listenClientUrls: 'https://a:1' }, '--cert-file'],
    [{ listenClientUrls: 'https://a:1', certFile: 'c' }, '--key-file'],
    [{ listenClientUrls: 'https://a:1', certFile: 'c', keyFile: 'k', clientCertAuth: true }, '--client-cert-auth'],
    [{ listenMetricsUrls: 'https://a:1' }, '--listen-metrics-urls'],
    [{ quotaBackendBytes: 'much' }, '--quota-backend-bytes'],
    [{ maxRequestBytes: '0' }, '--max-request-bytes'],
    [{ autoCompactionMode: 'never' }, '--auto-compaction-mode'],
    [{ autoCompactionMode: 'revision', autoCompactionRetention: '1h' }, '--auto-compaction-retention'],
    [{ dataDir: '' }, '--data-dir'],
  ])('%o is refused by name', (change, flag) => {
    expect(() => parseServeFlags({ ...flags, ...change })).toThrow(flag);
  });
});

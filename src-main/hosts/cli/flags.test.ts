import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PilothouseError } from '../../kit';
import { completeRequest, parseClusterFlags, parseClusterName, parsePort, parseSeconds } from './flags';

function refusal(work: () => unknown): PilothouseError {
  try {
    work();
  } catch (error) {
    if (error instanceof PilothouseError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('parseClusterFlags', () => {
  it('keeps absent flags absent and fills defaults only when completed', () => {
    expect(parseClusterFlags({})).toEqual({ name: 'default' });
    expect(completeRequest(parseClusterFlags({ nodes: '3' }))).toEqual({
      name: 'default',
      nodes: 3,
      cpus: 1,
      memoryMiB: 1024,
      diskGiB: 10,
    });
  });

  it.each([
    [{ memory: '2048' }, { memoryMiB: 2048 }],
    [{ memory: '2Gi' }, { memoryMiB: 2048 }],
    [{ memory: '768Mi' }, { memoryMiB: 768 }],
    [{ disk: '20' }, { diskGiB: 20 }],
    [{ disk: '20G' }, { diskGiB: 20 }],
  ])('reads sizes %o', (flags, expected) => {
    expect(parseClusterFlags(flags)).toEqual({ name: 'default', ...expected });
  });

  it("reads an etcd by kube-apiserver's flag names, files as absolute paths", () => {
    const etcdServers = 'https://10.0.0.1:2379, https://[::1]:2379';
    expect(
      parseClusterFlags({ etcdServers, etcdCafile: '/etc/ca.pem', etcdCertfile: 'me.pem', etcdKeyfile: 'me.key' }),
    ).toEqual({
      name: 'default',
      etcd: {
        endpoints: ['https://10.0.0.1:2379', 'https://[::1]:2379'],
        caFile: '/etc/ca.pem',
        certFile: resolve('me.pem'),
        keyFile: resolve('me.key'),
      },
    });
  });

  it.each([
    [{ etcdServers: '' }, /^--etcd-servers: at least one/, /--etcd-servers URL/],
    [{ etcdServers: 'http://a:1,localhost:2379' }, /^--etcd-servers localhost:2379: a URL/, /--etcd-servers URL/],
    [{ etcdCafile: '/ca' }, /^--etcd-servers/, /--etcd-servers URL/],
    [{ etcdServers: 'http://a:1', etcdCafile: '/ca' }, /^--etcd-servers http:.*: certificates need https/, /URL/],
    [{ etcdServers: 'https://a:1', etcdCertfile: '/me' }, /^--etcd-keyfile: the key/, /--etcd-keyfile/],
    [{ etcdServers: 'https://a:1', etcdKeyfile: '/me' }, /^--etcd-certfile: the certificate/, /--etcd-certfile/],
    [{ nodes: '0' }, /--nodes 0: at least 1/, /1 to 20/],
    [{ nodes: 'two' }, /--nodes two: a whole number/, /1 to 20/],
    [{ nodes: '-1' }, /--nodes -1/, /1 to 20/],
    [{ nodes: '99' }, /--nodes 99: at most 20/, /1 to 20/],
    [{ cpus: '1.5' }, /--cpus 1.5/, /1 to 64/],
    [{ memory: 'lots' }, /--memory lots: not a size/, /512Mi, 2Gi/],
    [{ memory: '64' }, /--memory 64: at least 512 MiB/, /512 to/],
    [{ disk: '512Mi' }, /--disk 0.5/, /4 to 2048/],
    [{ name: 'My Cluster' }, /--name My Cluster: lower-case/, /lower-case/],
    [{ name: 'a'.repeat(31) }, /--name a+: at most 30/, /30/],
  ])('refuses %o by flag and says what is allowed', (flags, message, hint) => {
    const error = refusal(() => parseClusterFlags(flags));
    expect(error.code).toBe('BAD_USAGE');
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(hint);
  });
});

it('reads times, ports and names, or names the flag', () => {
  expect(parseSeconds('90', '--timeout')).toBe(90);
  expect(parseSeconds('15m', '--timeout')).toBe(900);
  expect(refusal(() => parseSeconds('soon', '--timeout')).message).toContain('--timeout soon');
  expect(parsePort('8080', '--port')).toBe(8080);
  expect(refusal(() => parsePort('70000', '--port')).hint).toContain('65535');
  expect(refusal(() => parseClusterName('-x')).message).toContain('--name -x');
});

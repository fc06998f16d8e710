import { describe, expect, it } from 'vitest';
import { type ClusterRecord, parseRecord } from './record';

const record: ClusterRecord = {
  version: 1,
  name: 'default',
  createdAt: 1,
  apiPort: 6443,
  networks: { node: '192.168.77.0/24', pod: '10.244.0.0/16', service: '10.96.0.0/12' },
  wanted: 'running',
  provisioned: false,
  machines: [{ name: 'default-1', number: 1, cpus: 1, memoryMiB: 1024, diskGiB: 10 }],
};

describe('parseRecord', () => {
  it('reads what was written', () => {
    expect(parseRecord(JSON.stringify(record), 'x')).toEqual(record);
  });

  it.each([
    ['not JSON', '{', /not JSON/],
    ['a newer version', JSON.stringify({ ...record, version: 2 }), /newer Pilothouse/],
    ['a missing port', JSON.stringify({ ...record, apiPort: undefined }), /apiPort/],
    ['a name that escapes the folder', JSON.stringify({ ...record, name: '../x' }), /name/],
  ])('refuses %s and says where', (_, text, reason) => {
    expect(() => parseRecord(text, '/home/cluster.json')).toThrow(reason);
    expect(() => parseRecord(text, '/home/cluster.json')).toThrow('/home/cluster.json');
  });
});

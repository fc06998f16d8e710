import { describe, expect, it } from 'vitest';
import { socketDirectoryFor } from './socket-directory';

describe('socketDirectoryFor', () => {
  it('keeps sockets beside the machine while their paths fit', () => {
    expect(socketDirectoryFor('/home/a/.pilothouse/clusters/default/machines/node-1', '/tmp')).toBe(
      '/home/a/.pilothouse/clusters/default/machines/node-1',
    );
  });

  it('moves sockets of deep folders to a short private folder that depends on the folder only', () => {
    const deep = `/${'deep/'.repeat(30)}node-1`;
    const directory = socketDirectoryFor(deep, '/tmp');
    expect(directory).toMatch(/^\/tmp\/pilothouse-\d+\/[0-9a-f]{16}$/);
    expect(socketDirectoryFor(deep, '/tmp')).toBe(directory);
    expect(socketDirectoryFor(`${deep}2`, '/tmp')).not.toBe(directory);
    expect(directory.length + '/network.sock'.length).toBeLessThanOrEqual(107);
  });
});

import { describe, expect, it } from 'vitest';
import { BuildProgress, buildReason } from './build-progress';

describe('BuildProgress', () => {
  it('counts downloads and installations over both rounds of apt and passes on named steps', () => {
    const said: string[] = [];
    const progress = new BuildProgress((detail) => said.push(detail));
    const lines = [
      'Get:1 http://mirror.example/debian trixie InRelease [140 kB]',
      '0 upgraded, 2 newly installed, 0 to remove and 0 not upgraded.',
      'Get:1 http://mirror.example/debian trixie/main amd64 libc6 amd64 2.41 [2847 kB]',
      'Setting up libc6:amd64 (2.41) ...',
      '0 upgraded, 3 newly installed, 0 to remove and 0 not upgraded.',
      'Get:1 http://mirror.example/debian trixie/main amd64 runc amd64 1.1 [3230 kB]',
      'Setting up runc (1.1) ...',
      'step: making the initrd',
    ];
    for (const line of lines) progress.line(line);
    expect(said).toEqual([
      'downloading base system 1/2',
      'installing packages 1/2',
      'downloading packages 1/3',
      'installing packages 2/5',
      'making the initrd',
    ]);
  });
});

describe('buildReason', () => {
  it.each([
    [
      'the first error of apt',
      'Err:1 x\nE: Failed to fetch http://m/x  Connection refused\nE: mmdebstrap failed',
      'Failed to fetch http://m/x  Connection refused',
    ],
    [
      'a full disk before all',
      'E: other\ntar: x: Cannot write: No space left on device',
      'tar: x: Cannot write: No space left on device',
    ],
    ['nothing that is known', 'all fine', undefined],
  ])('finds %s', (_, output, reason) => expect(buildReason(output)).toBe(reason));
});

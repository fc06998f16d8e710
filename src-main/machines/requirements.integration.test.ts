import { tmpdir } from 'node:os';
import { expect, it } from 'vitest';
import { hostRequirements } from './requirements';

it('lists every requirement once, each with something to do about it', async () => {
  const requirements = await hostRequirements({ directory: `${tmpdir()}/not/there/yet` });
  const ids = requirements.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids).toEqual(
    expect.arrayContaining(['qemu-system-x86_64', 'qemu-img', 'mmdebstrap', 'disk-space', 'memory', 'accelerator']),
  );
  for (const { hint, description } of requirements) expect(hint.length * description.length).toBeGreaterThan(0);
});

it('misses programs that are not in the PATH and names their package', async () => {
  const path = process.env.PATH;
  process.env.PATH = '/nonexistent';
  try {
    const qemu = (await hostRequirements()).find(({ id }) => id === 'qemu-system-x86_64');
    expect(qemu).toMatchObject({ ok: false, fatal: true, debianPackage: 'qemu-system-x86' });
  } finally {
    process.env.PATH = path;
  }
});

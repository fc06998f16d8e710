import { describe, expect, it } from 'vitest';
import { runCommand } from './command';
import { isRunning } from './qemu/process';

describe('runCommand', () => {
  it('answers output and passes on whole lines', async () => {
    const lines: string[] = [];
    const result = await runCommand(['sh', '-c', 'echo one; printf two; echo; echo err >&2'], {
      deadlineMs: 5000,
      onLine: (line) => lines.push(line),
    });
    expect(result).toMatchObject({ exitCode: 0, stdout: 'one\ntwo\n', stderr: 'err\n' });
    expect(lines.sort()).toEqual(['err', 'one', 'two']);
  });

  it('tells command, exit code and last output of a failure', async () => {
    await expect(
      runCommand(['sh', '-c', 'echo why; exit 3'], { deadlineMs: 5000, hint: 'do that' }),
    ).rejects.toMatchObject({
      code: 'COMMAND_FAILED',
      hint: 'do that',
      details: { command: "sh -c 'echo why; exit 3'", exitCode: 3, outputTail: 'why' },
    });
    await expect(runCommand(['no-such-program-here'], { deadlineMs: 5000 })).rejects.toMatchObject({
      code: 'COMMAND_NOT_FOUND',
    });
  });

  it('ends the whole process group at the deadline and on abort', async () => {
    const script = 'sleep 300 & echo $!; wait';
    let child = 0;
    const onLine = (line: string) => {
      child = Number(line);
    };
    await expect(runCommand(['sh', '-c', script], { deadlineMs: 300, onLine })).rejects.toMatchObject({
      code: 'COMMAND_DEADLINE',
    });
    await expect.poll(() => isRunning(child)).toBe(false);
    const controller = new AbortController();
    const aborted = runCommand(['sh', '-c', script], {
      deadlineMs: 60_000,
      signal: controller.signal,
      onLine: () => controller.abort(new Error('enough')),
    });
    await expect(aborted).rejects.toThrow('enough');
  });
});

import { describe, expect, it } from 'vitest';
import { LogBuffer } from './log-buffer';

function buffer(limit: number) {
  const frames: (() => void)[] = [];
  const made = new LogBuffer({ limit, schedule: (publish) => frames.push(publish) });
  return { made, frames, frame: () => frames.splice(0).forEach((publish) => publish()) };
}

describe('LogBuffer', () => {
  it('publishes once per frame and strips terminal colours', () => {
    const { made, frames, frame } = buffer(100);
    made.append(['\u001b[31mred\u001b[0m', 'progress\r']);
    made.append(['next']);
    expect(frames).toHaveLength(1);
    frame();
    expect(made.lines.value).toEqual(['red', 'progress', 'next']);
    expect(made.trimmed.value).toBe(false);
  });

  it('keeps the newest lines only, and says so', () => {
    const { made, frame } = buffer(10);
    made.append(Array.from({ length: 25 }, (_, index) => String(index)));
    frame();
    expect(made.lines.value).toHaveLength(10);
    expect(made.lines.value.at(-1)).toBe('24');
    expect(made.trimmed.value).toBe(true);
    made.clear();
    expect([made.lines.value, made.trimmed.value]).toEqual([[], false]);
  });
});

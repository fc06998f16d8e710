// A line by line difference, for showing a person what a file becomes.

/** Every changed line with its sign, and `context` unchanged lines around. Made for files of at most some thousand lines. */
export function lineDiff(before: string, after: string, context = 2): string[] {
  const all = signedLines(split(before), split(after));
  const changed = all.flatMap((line, index) => (line.startsWith(' ') ? [] : [index]));
  const shown = new Set(
    changed.flatMap((index) => Array.from({ length: 2 * context + 1 }, (_, offset) => index - context + offset)),
  );
  return all.filter((_, index) => shown.has(index));
}

function split(text: string): string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

/** Longest common subsequence, by dynamic programming from the end. */
function signedLines(before: string[], after: string[]): string[] {
  const width = after.length + 1;
  const lengths = new Uint32Array((before.length + 1) * width);
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      lengths[i * width + j] =
        before[i] === after[j]
          ? lengths[(i + 1) * width + j + 1]! + 1
          : Math.max(lengths[(i + 1) * width + j]!, lengths[i * width + j + 1]!);
    }
  }
  const lines: string[] = [];
  let i = 0;
  let j = 0;
  while (i < before.length || j < after.length) {
    if (i < before.length && j < after.length && before[i] === after[j]) {
      lines.push(` ${before[i]}`);
      i++;
      j++;
    } else if (i < before.length && (j >= after.length || keepsMore(i, j))) lines.push(`-${before[i++]}`);
    else lines.push(`+${after[j++]}`);
  }
  return lines;

  function keepsMore(i: number, j: number): boolean {
    return lengths[(i + 1) * width + j]! >= lengths[i * width + j + 1]!;
  }
}

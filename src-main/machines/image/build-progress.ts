// Turns the build's output into one line for the person who waits.

const aptRounds = 2;

export class BuildProgress {
  private expected = 0;
  private round = 0;
  private fetched = 0;
  private configured = 0;
  private total = 0;

  constructor(private readonly report: (detail: string) => void) {}

  line(line: string): void {
    const announced = /^\s*(?:\d+ upgraded, )?(\d+) newly installed/.exec(line);
    if (announced) {
      this.expected = Number(announced[1]);
      this.total += this.expected;
      this.round += 1;
      this.fetched = 0;
      return;
    }
    const step = /^step: (.+)$/.exec(line);
    if (step) return this.report(step[1]!);
    if (this.round === 0) return;
    if (/^Get:\d+ /.test(line)) {
      this.fetched = Math.min(this.fetched + 1, this.expected);
      const stage = this.round < aptRounds ? 'base system' : 'packages';
      this.report(
        this.fetched < this.expected || !/linux-image/.test(line)
          ? `downloading ${stage} ${this.fetched}/${this.expected}`
          : 'downloading the kernel',
      );
    } else if (line.startsWith('Setting up ')) {
      this.configured = Math.min(this.configured + 1, this.total);
      this.report(`installing packages ${this.configured}/${this.total}`);
    }
  }
}

/** Why a build failed, from the last lines it printed: the first error of apt, dpkg or a file system. */
export function buildReason(output: string): string | undefined {
  const lines = output.split('\n').map((line) => line.trim());
  const full = lines.find((line) => /No space left on device/i.test(line));
  if (full) return full;
  return lines.find((line) => /^(E|dpkg|mkfs\.ext4|tar|cp): /.test(line))?.replace(/^E: /, '');
}

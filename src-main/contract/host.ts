// What the window and the CLI know of this computer.

export interface RequirementView {
  id: string;
  description: string;
  ok: boolean;
  /** What to do when it is not ok. */
  hint?: string;
  /** Nothing works without it. */
  fatal: boolean;
}

export interface HostView {
  version: string;
  /** `desktop` = Electron, `headless` = browser shell. */
  shell: 'desktop' | 'headless';
  platform: string;
  cpus: number;
  memoryMiB: number;
  freeMemoryMiB: number;
  freeDiskGiB: number;
  home: string;
  residentBytes: number;
  requirements: RequirementView[];
}

// The one error base of the project. A code is what programs branch on; the message is what a person reads.

export interface ErrorOptions {
  /** Stable, catalogued identifier, e.g. `MACHINE_BOOT_TIMEOUT`. Never branch on the message. */
  code: string;
  /** What happened and why. */
  message: string;
  /** What the person should do next. */
  hint?: string;
  cause?: unknown;
  /** Facts for logs and views: command, exit code, output tail, field paths. */
  details?: Record<string, unknown>;
  /** Whether the same call may succeed when tried again unchanged. */
  retryable?: boolean;
}

export class PilothouseError extends Error {
  readonly code: string;
  readonly hint: string | undefined;
  readonly details: Record<string, unknown>;
  readonly retryable: boolean;

  constructor(options: ErrorOptions) {
    super(options.message, { cause: options.cause });
    this.name = new.target.name;
    this.code = options.code;
    this.hint = options.hint;
    this.details = options.details ?? {};
    this.retryable = options.retryable ?? false;
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

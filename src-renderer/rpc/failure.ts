// What the window shows of anything that went wrong: one shape, made in one place.

import { messageOf } from '../../src-main/kit/error';

export interface Failure {
  /** Stable identifier to branch on; `UNKNOWN` when the thrown thing had none. */
  code: string;
  message: string;
  hint?: string;
  details: Record<string, unknown>;
}

interface RpcErrorShape {
  data?: { code?: string; pilothouse?: { code: string; hint?: string; details?: Record<string, unknown> } } | null;
}

interface ZodIssueShape {
  path?: (string | number)[];
  message?: string;
}

/** Input refused by a schema arrives as a JSON list of issues; a person reads "field: message". */
function readableMessage(message: string): string {
  if (!message.startsWith('[')) return message;
  try {
    const issues = JSON.parse(message) as ZodIssueShape[];
    const lines = issues.map((issue) => [issue.path?.join('.'), issue.message].filter(Boolean).join(': '));
    return lines.join('; ') || message;
  } catch (error) {
    if (error instanceof SyntaxError) return message;
    throw error;
  }
}

/** Translates a tRPC client error (or anything thrown) for display. */
export function failureOf(error: unknown): Failure {
  const data = (error as RpcErrorShape | undefined)?.data;
  return {
    code: data?.pilothouse?.code ?? data?.code ?? 'UNKNOWN',
    message: readableMessage(messageOf(error)),
    hint: data?.pilothouse?.hint,
    details: data?.pilothouse?.details ?? {},
  };
}

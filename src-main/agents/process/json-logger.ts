// One JSON line per entry on stdout: systemd's journal keeps time and unit, so a line carries only what we add.

import type { LogFields, Logger } from '../../kit';

const levels = ['error', 'warn', 'info', 'debug', 'trace'] as const;
export type LogLevel = (typeof levels)[number];

export interface JsonLoggerOptions {
  level: LogLevel;
  fields?: LogFields;
  write?(line: string): void;
}

/** Errors become { message, code }, so that nothing of an object graph or a secret leaks into the journal. */
function plain(value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  const code = (value as { code?: unknown }).code;
  return code === undefined ? value.message : { message: value.message, code };
}

export function createJsonLogger(options: JsonLoggerOptions): Logger {
  const write = options.write ?? ((line: string) => process.stdout.write(line));
  const base = options.fields ?? {};
  const enabled = levels.indexOf(options.level);
  const log =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}) => {
      if (levels.indexOf(level) > enabled) return;
      const all: LogFields = { level, msg: message, ...base };
      for (const [key, value] of Object.entries(fields)) all[key] = plain(value);
      write(`${JSON.stringify(all)}\n`);
    };
  return {
    error: log('error'),
    warn: log('warn'),
    info: log('info'),
    debug: log('debug'),
    trace: log('trace'),
    child: (fields) => createJsonLogger({ ...options, fields: { ...base, ...fields } }),
  };
}

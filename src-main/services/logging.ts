// pino behind the kit's Logger: lines of JSON into a file that is rotated by size, or to standard error.
// Invariant: fields named like secrets never reach the file.

import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { type DestinationStream, type LoggerOptions, type Logger as PinoLogger, pino } from 'pino';
import type { LogFields, Logger } from '../kit';

const secretNames = ['token', 'privateKey', 'password', 'authorization', 'serviceAccountKey', 'pem'];

/** A file that moves to `<path>.1` when it would grow beyond `maxBytes`; one old file is kept. */
class RotatingFile implements DestinationStream {
  private descriptor: number;
  private bytes: number;

  constructor(
    private readonly path: string,
    private readonly maxBytes: number,
  ) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    this.descriptor = openSync(path, 'a', 0o600);
    this.bytes = fstatSync(this.descriptor).size;
  }

  /** Synchronous, so that the last words of a dying process are kept. */
  write(line: string): void {
    const data = Buffer.from(line);
    if (this.bytes > 0 && this.bytes + data.length > this.maxBytes) this.rotate();
    writeSync(this.descriptor, data);
    this.bytes += data.length;
  }

  private rotate(): void {
    closeSync(this.descriptor);
    renameSync(this.path, `${this.path}.1`);
    this.descriptor = openSync(this.path, 'a', 0o600);
    this.bytes = 0;
  }
}

export interface LoggingOptions {
  /** Absent = standard error. */
  file?: string;
  level?: string;
  maxBytes?: number;
  fields?: LogFields;
}

export function createLogger(options: LoggingOptions = {}): Logger {
  const settings: LoggerOptions = {
    level: options.level ?? 'info',
    base: options.fields ?? {},
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: secretNames.flatMap((name) => [name, `*.${name}`]), censor: '[redacted]' },
    serializers: { error: pino.stdSerializers.err },
  };
  const destination = options.file
    ? new RotatingFile(options.file, options.maxBytes ?? 10 * 1024 * 1024)
    : pino.destination({ fd: 2, sync: true });
  return wrap(pino(settings, destination));
}

function wrap(logger: PinoLogger): Logger {
  const at =
    (level: 'error' | 'warn' | 'info' | 'debug' | 'trace') =>
    (message: string, fields: LogFields = {}) =>
      logger[level](fields, message);
  return {
    error: at('error'),
    warn: at('warn'),
    info: at('info'),
    debug: at('debug'),
    trace: at('trace'),
    child: (fields) => wrap(logger.child(fields)),
  };
}

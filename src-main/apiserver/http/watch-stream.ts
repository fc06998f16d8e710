// A watch over HTTP: one JSON event a line. Events of one turn of the event loop go out as one write; the bytes of an
// event are made once for all watchers it fans out to. A reader that is too slow is cut off and lists again.

import type { Kind } from '../../api';
import type { ApiError } from '../../client';
import type { Clock } from '../../kit';
import { type Entry, apiVersionOf } from '../registry/codec';
import type { RunningWatch, WatchedType, WatchSink } from '../registry/watcher';
import type { Representation } from './negotiation';
import type { RequestContext } from './request-context';
import { type IncludeObject, partialText, tableText } from './table';

const slowReaderBytes = 32 * 1024 * 1024;
const bookmarkMs = 60_000;
const lineEnd = Buffer.from('}\n');
const eventHeads: Readonly<Record<WatchedType, Buffer>> = {
  ADDED: Buffer.from('{"type":"ADDED","object":'),
  MODIFIED: Buffer.from('{"type":"MODIFIED","object":'),
  DELETED: Buffer.from('{"type":"DELETED","object":'),
};

/** Bytes of events. Remembers the last one, as the watchers of a change are told one after the other. */
export class WatchEventEncoder {
  private type: WatchedType | undefined;
  private entry: Entry | undefined;
  private bytes: Buffer = lineEnd;

  encode(type: WatchedType, entry: Entry): Buffer {
    if (this.entry === entry && this.type === type) return this.bytes;
    this.type = type;
    this.entry = entry;
    this.bytes = Buffer.concat([eventHeads[type], entry.bytes, lineEnd]);
    return this.bytes;
  }
}

export interface WatchStreamOptions {
  /** Shared by the watches of a server. */
  encoder: WatchEventEncoder;
  context: RequestContext;
  kind: Kind;
  representation: Representation;
  includeObject: IncludeObject;
  timeoutSeconds: number;
  clock: Clock;
}

export class WatchStream implements WatchSink {
  private pending: Buffer[] = [];
  private scheduled = false;
  private ended = false;
  private columnsSent = false;
  private readonly cleanups: (() => void)[] = [];

  constructor(private readonly options: WatchStreamOptions) {}

  /** Sends the headers and keeps the stream until the client, the deadline or the server ends it. */
  open(start: () => Promise<RunningWatch>): Promise<void> {
    const { context, clock, timeoutSeconds, representation } = this.options;
    const { response, signal } = context;
    return new Promise((resolve, reject) => {
      this.cleanups.push(resolve);
      start().then((watch) => {
        this.cleanups.push(() => watch.stop());
        if (this.ended) {
          watch.stop();
          return;
        }
        const stream = representation.form === 'object' ? ';stream=watch' : '';
        response.writeHead(200, { 'Content-Type': `application/json${stream}`, 'Cache-Control': 'no-cache, private' });
        response.flushHeaders();
        this.flush();
        const end = () => this.onEnd(undefined);
        response.on('close', end);
        signal.addEventListener('abort', end, { once: true });
        this.cleanups.push(() => signal.removeEventListener('abort', end));
        this.cleanups.push(clock.after(timeoutSeconds * 1000, end));
        this.remind(watch);
      }, reject);
    });
  }

  onEvent(type: WatchedType, entry: Entry): void {
    this.push(
      this.options.representation.form === 'object'
        ? this.options.encoder.encode(type, entry)
        : this.transformed(type, entry),
    );
  }

  onBookmark(revision: number, initial: boolean): void {
    const { kind, representation } = this.options;
    const annotations = initial ? ',"annotations":{"k8s.io/initial-events-end":"true"}' : '';
    const metadata = `{"resourceVersion":"${revision}"${annotations}}`;
    const object =
      representation.form === 'table'
        ? tableText([], { resourceVersion: String(revision) }, this.tableOptions(false))
        : `{"kind":"${kind.kind}","apiVersion":"${apiVersionOf(kind)}","metadata":${metadata}}`;
    this.push(Buffer.from(`{"type":"BOOKMARK","object":${object}}\n`));
  }

  onEnd(error: ApiError | undefined): void {
    if (this.ended) return;
    if (error) this.push(Buffer.from(`{"type":"ERROR","object":${JSON.stringify(error.status)}}\n`));
    this.flush();
    this.ended = true;
    this.options.context.response.end();
    for (const cleanup of this.cleanups.splice(0).reverse()) cleanup();
  }

  private remind(watch: RunningWatch): void {
    let cancel = () => {};
    const again = () => {
      watch.bookmark();
      cancel = this.options.clock.after(bookmarkMs, again);
    };
    cancel = this.options.clock.after(bookmarkMs, again);
    this.cleanups.push(() => cancel());
  }

  private tableOptions(columns: boolean) {
    const { kind, representation, includeObject, clock } = this.options;
    return { kind, includeObject, version: representation.version, now: clock.now(), columns };
  }

  private transformed(type: WatchedType, entry: Entry): Buffer {
    const { representation } = this.options;
    let object: string;
    if (representation.form === 'partial') object = partialText(entry, representation.version);
    else {
      object = tableText([entry], { resourceVersion: String(entry.revision) }, this.tableOptions(!this.columnsSent));
      this.columnsSent = true;
    }
    return Buffer.from(`{"type":"${type}","object":${object}}\n`);
  }

  private push(bytes: Buffer): void {
    if (this.ended) return;
    this.pending.push(bytes);
    if (this.scheduled || !this.options.context.response.headersSent) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.flush();
    });
  }

  private flush(): void {
    const { response } = this.options.context;
    if (this.ended || this.pending.length === 0 || !response.headersSent) return;
    const bytes = this.pending.length === 1 ? this.pending[0]! : Buffer.concat(this.pending);
    this.pending = [];
    response.write(bytes);
    if (response.writableLength > slowReaderBytes) {
      response.destroy();
      this.onEnd(undefined);
    }
  }
}

// One watch of a watch stream: knows the next revision to tell, so that it can be closed and opened again without a gap.

import type { Key, Store, StoreEvent, Watch } from '../store';
import { StoreError } from '../store-error';
import { etcdError } from './grpc-error';
import { eventSize, type WatchFrame } from './messages-out';

export interface StreamWatchOptions {
  id: bigint;
  key: Key;
  rangeEnd: Key | undefined;
  /** First revision to tell; 0 = what comes next. */
  next: number;
  prevKv: boolean;
  /** 0 = no puts, 1 = no deletions. */
  filters: readonly number[];
  progressNotify: boolean;
  /** Responses larger than this are split; absent = never. */
  fragmentBytes: number | undefined;
}

export interface StreamWatchListener {
  onFrame(frame: WatchFrame): void;
  /** After the frames of one or more whole revisions: the moment at which the watch may be closed without loss. */
  onTold(): void;
  /** The watch is over: with the frame to tell the client, or without when the store closes. */
  onEnd(frame: WatchFrame | undefined): void;
}

export class StreamWatch {
  readonly id: bigint;
  readonly progressNotify: boolean;
  private next: number;
  private watch: (Watch & { progress?(): number }) | undefined;
  private spoke = false;

  constructor(private readonly options: StreamWatchOptions) {
    this.id = options.id;
    this.progressNotify = options.progressNotify;
    this.next = Math.max(0, options.next);
  }

  open(store: Store, listener: StreamWatchListener): void {
    const { key, rangeEnd, prevKv } = this.options;
    // "What comes next" is fixed now: the watch may be parked before anything comes.
    if (this.next === 0) this.next = store.revision() + 1;
    this.watch = store.watch(
      { key, rangeEnd, prevKv, startRevision: this.next },
      {
        onEvents: (events, revision) => {
          // A watch that starts in the future does not care for the time before.
          if (revision < this.next) return;
          this.tell(events, { revision, listener });
          this.next = revision + 1;
          listener.onTold();
        },
        onEnd: (error) => {
          this.watch = undefined;
          listener.onEnd(this.endFrame(store, error));
        },
      },
    );
  }

  close(): void {
    this.watch?.cancel();
    this.watch = undefined;
  }

  /** The revision up to which everything is told, seen at a moment at which the store is at `current`. */
  toldUpTo(current: number): number {
    if (!this.watch) return this.next - 1;
    // A store that does not tell how far a watch is has told a live one everything.
    return Math.max(this.next - 1, this.watch.progress?.() ?? current);
  }

  /** Whether events were sent since this was last asked. */
  takeSpoke(): boolean {
    const { spoke } = this;
    this.spoke = false;
    return spoke;
  }

  private tell(
    events: readonly StoreEvent[],
    { revision, listener }: { revision: number; listener: StreamWatchListener },
  ) {
    const { filters, fragmentBytes } = this.options;
    const wanted =
      filters.length === 0 ? events : events.filter((event) => !filters.includes(event.type === 'put' ? 0 : 1));
    if (wanted.length === 0) return;
    this.spoke = true;
    if (fragmentBytes === undefined) {
      listener.onFrame({ watchId: this.id, revision, events: wanted });
      return;
    }
    const pieces = split(wanted, fragmentBytes);
    pieces.forEach((piece, i) => {
      listener.onFrame({ watchId: this.id, revision, events: piece, fragment: i < pieces.length - 1 });
    });
  }

  private endFrame(store: Store, error: Error | undefined): WatchFrame | undefined {
    if (!(error instanceof StoreError) || error.code === 'STORE_CLOSED') return undefined;
    if (error.code !== 'COMPACTED') {
      return { watchId: this.id, revision: store.revision(), canceled: true, cancelReason: error.message };
    }
    return {
      watchId: this.id,
      revision: 0,
      canceled: true,
      compactRevision: store.compactRevision(),
      cancelReason: etcdError('Compacted').details,
    };
  }
}

/** Cuts a list of events so that no piece is larger than asked, unless one event alone is. */
function split(events: readonly StoreEvent[], limit: number): StoreEvent[][] {
  const pieces: StoreEvent[][] = [];
  let piece: StoreEvent[] = [];
  let size = 0;
  for (const event of events) {
    const bytes = eventSize(event);
    if (piece.length > 0 && size + bytes > limit) {
      pieces.push(piece);
      piece = [];
      size = 0;
    }
    piece.push(event);
    size += bytes;
  }
  pieces.push(piece);
  return pieces;
}

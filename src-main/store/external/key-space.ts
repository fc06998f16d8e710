// Where in a shared etcd a store keeps its keys: everything under one prefix, which callers never see. Keys are latin1
// byte strings here and bytes on the wire.

import { type Key, prefixEnd } from '../store';

export class KeySpace {
  constructor(readonly prefix: Key = '') {}

  /** A key on the wire. */
  key(key: Key): Buffer {
    return Buffer.from(this.prefix + key, 'latin1');
  }

  /**
   * A range end on the wire; "from the key on" ends where the prefix does. Absent when there is none: to etcd a range
   * end that is there and empty means "from the key on".
   */
  end(rangeEnd: Key | undefined): Buffer | undefined {
    if (!rangeEnd) return undefined;
    const end = rangeEnd !== '\0' ? this.prefix + rangeEnd : this.prefix ? prefixEnd(this.prefix) : '\0';
    return Buffer.from(end, 'latin1');
  }

  has(wire: Buffer): boolean {
    return wire.subarray(0, this.prefix.length).toString('latin1') === this.prefix;
  }

  /** A key from the wire. */
  strip(wire: Buffer): Key {
    return wire.toString('latin1', this.prefix.length);
  }
}

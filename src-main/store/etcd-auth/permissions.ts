// Permissions by range: what a user may touch is the union of what the user's roles grant.

import type { Key } from '../store';

export type PermissionType = 'read' | 'write' | 'readwrite';

/** A key, or with an end all keys from it to that end; "\0" = from the key on, as in the store's contract. */
export interface Permission {
  type: PermissionType;
  key: Key;
  rangeEnd: Key;
}

interface Interval {
  start: Key;
  /** Exclusive; undefined = no end. */
  end: Key | undefined;
}

/** Whether every key of the range is granted for `access`. */
export function isGranted(
  permissions: readonly Permission[],
  wanted: { kind: 'read' | 'write'; key: Key; rangeEnd?: Key },
): boolean {
  const granted = permissions
    .filter(({ type }) => type === 'readwrite' || type === wanted.kind)
    .map(({ key, rangeEnd }) => intervalOf(key, rangeEnd))
    .sort((a, b) => (a.start < b.start ? -1 : 1));
  const { start, end } = intervalOf(wanted.key, wanted.rangeEnd);
  let reached = start;
  for (const interval of granted) {
    if (interval.start > reached) return false;
    if (interval.end === undefined) return true;
    if (interval.end > reached) reached = interval.end;
    if (end !== undefined && reached >= end) return true;
  }
  return false;
}

/** No key lies between a key and the same with a zero byte: that is where the range of the one key ends. */
function intervalOf(key: Key, rangeEnd: Key | undefined): Interval {
  if (!rangeEnd) return { start: key, end: `${key}\0` };
  return { start: key, end: rangeEnd === '\0' ? undefined : rangeEnd };
}

// The browser shell's secret: arrives once in the page's address, lives in this tab's session storage, and leaves the
// address bar at once so that it is neither bookmarked nor copied by accident.

import { tokenParameter } from '../../src-main/contract/transport';

const storageKey = 'pilothouse.token';

export interface TokenEnvironment {
  location: Pick<Location, 'search' | 'pathname' | 'hash'>;
  history: Pick<History, 'replaceState' | 'state'>;
  storage: Pick<Storage, 'getItem' | 'setItem'>;
}

/** The token of this tab, or undefined when the page was opened without one. */
export function takeToken({ location, history, storage }: TokenEnvironment): string | undefined {
  const query = new URLSearchParams(location.search);
  const given = query.get(tokenParameter);
  if (given) {
    storage.setItem(storageKey, given);
    query.delete(tokenParameter);
    const rest = query.toString();
    history.replaceState(history.state, '', `${location.pathname}${rest ? `?${rest}` : ''}${location.hash}`);
    return given;
  }
  return storage.getItem(storageKey) ?? undefined;
}

// The serial console of a machine that may not be made yet: people open it before there is anything to see.

import { type Clock, type Disposable, systemClock } from '../../kit';
import type { Machine } from '../../machines';

const lookMs = 250;

/** Follows the console from its beginning, as soon as the machine is there. */
export function followConsole(
  machines: { list(): Pick<Machine, 'spec' | 'console'>[] },
  request: { machine: string; listener: (text: string) => void; clock?: Clock },
): Disposable {
  const { machine, listener, clock = systemClock } = request;
  let following: Disposable | undefined;
  let cancel = () => {};
  const look = () => {
    following = machines
      .list()
      .find(({ spec }) => spec.name === machine)
      ?.console(listener);
    if (!following) cancel = clock.after(lookMs, look);
  };
  look();
  return {
    dispose() {
      cancel();
      return following?.dispose();
    },
  };
}

// A quota's alarms in the shape the etcd endpoint asks for them: types by number, as in AlarmType.

import { type Alarm, alarmTypes } from './alarm';
import type { Quota } from './quota';

export interface NumberedAlarm {
  memberId: bigint;
  /** 1 = NOSPACE, 2 = CORRUPT. */
  type: number;
}

export interface EtcdAlarms {
  list(): NumberedAlarm[];
  /** Both answer the alarms that changed; a type that does not exist changes nothing. */
  activate(alarm: NumberedAlarm): Promise<NumberedAlarm[]>;
  deactivate(alarm: NumberedAlarm): Promise<NumberedAlarm[]>;
}

export function etcdAlarms(quota: Quota): EtcdAlarms {
  return {
    list: () => quota.alarms().map(toNumbered),
    async activate(alarm) {
      const named = toNamed(alarm);
      if (!named) return [];
      await quota.raise(named);
      return [alarm];
    },
    async deactivate(alarm) {
      const named = toNamed(alarm);
      return named ? (await quota.disarm(named)).map(toNumbered) : [];
    },
  };
}

function toNumbered({ type, memberId }: Alarm): NumberedAlarm {
  return { memberId, type: alarmTypes.indexOf(type) + 1 };
}

function toNamed({ type, memberId }: NumberedAlarm): Alarm | undefined {
  const name = alarmTypes[type - 1];
  return name && { type: name, memberId };
}

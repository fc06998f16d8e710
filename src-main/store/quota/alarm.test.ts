import { expect, it } from 'vitest';
import { type Alarm, alarmKey, readAlarms } from './alarm';

it('keeps alarms in the form of etcd', () => {
  expect(alarmKey({ type: 'NOSPACE', memberId: 300n }).toString('hex')).toBe('08ac021001');
  const alarms: Alarm[] = [
    { type: 'NOSPACE', memberId: 0n },
    { type: 'CORRUPT', memberId: 0x8e9e05c52164694dn },
  ];
  expect(readAlarms(alarms.map((alarm) => ({ key: alarmKey(alarm) })))).toEqual(alarms);
  expect(readAlarms([{ key: Buffer.alloc(0) }, { key: Buffer.from([0x10, 9]) }])).toEqual([]);
});

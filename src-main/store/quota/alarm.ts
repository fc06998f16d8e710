// Alarms as etcd keeps them: one key a raised alarm, the message AlarmMember {member id, type}, and no value.

export const alarmTypes = ['NOSPACE', 'CORRUPT'] as const;

export interface Alarm {
  type: (typeof alarmTypes)[number];
  memberId: bigint;
}

const memberField = 0x08;
const typeField = 0x10;

export function alarmKey({ type, memberId }: Alarm): Buffer {
  const bytes: number[] = [];
  if (memberId !== 0n) {
    bytes.push(memberField);
    let rest = BigInt.asUintN(64, memberId);
    for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
    bytes.push(Number(rest));
  }
  bytes.push(typeField, alarmTypes.indexOf(type) + 1);
  return Buffer.from(bytes);
}

/** Keys of no known type are left out. */
export function readAlarms(records: readonly { key: Buffer }[]): Alarm[] {
  const alarms: Alarm[] = [];
  for (const { key } of records) {
    let memberId = 0n;
    let at = 0;
    if (key[0] === memberField) {
      let shift = 0n;
      do memberId |= BigInt(key[++at]! & 0x7f) << (7n * shift++);
      while (key[at]! >= 0x80 && shift < 10n);
      at++;
    }
    const type = key[at] === typeField ? alarmTypes[(key[at + 1] ?? 0) - 1] : undefined;
    if (type) alarms.push({ type, memberId });
  }
  return alarms;
}

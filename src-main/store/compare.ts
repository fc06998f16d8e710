// Evaluates the compares of a transaction against one version of a key.

import type { Compare } from './store';

/** What a compare looks at; an absent key has zeros and no value. */
export interface Compared {
  version: number;
  create: number;
  main: number;
  lease: bigint;
}

const absent: Compared = { version: 0, create: 0, main: 0, lease: 0n };

/**
 * Whether a compare holds for one key. `value` is called only when the compare is about the value. As in etcd an
 * absent key compares as zeros, except that a compare of its value never holds.
 */
export function compareHolds(compare: Compare, present: Compared | undefined, value: () => Buffer): boolean {
  if (compare.target === 'value') {
    return present ? operatorHolds(compare.operator, Buffer.compare(value(), compare.operand)) : false;
  }
  const compared = present ?? absent;
  switch (compare.target) {
    case 'version':
      return operatorHolds(compare.operator, compared.version - compare.operand);
    case 'create':
      return operatorHolds(compare.operator, compared.create - compare.operand);
    case 'mod':
      return operatorHolds(compare.operator, compared.main - compare.operand);
    case 'lease':
      return operatorHolds(
        compare.operator,
        compared.lease < compare.operand ? -1 : compared.lease > compare.operand ? 1 : 0,
      );
  }
}

function operatorHolds(operator: Compare['operator'], order: number): boolean {
  switch (operator) {
    case 'equal':
      return order === 0;
    case 'not-equal':
      return order !== 0;
    case 'greater':
      return order > 0;
    case 'less':
      return order < 0;
  }
}

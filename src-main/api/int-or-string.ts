// Numbers that may be written as percentages (util/intstr), and ports that may be names.

import { PilothouseError } from '../kit';
import type { IntOrString } from './core/types';

/** Whether the value is a percentage text such as `25%`. */
export function isPercentage(value: IntOrString): value is string {
  return typeof value === 'string' && /^\d+%$/.test(value);
}

/**
 * A number as it is, a percentage of `total`, rounded as asked. Throws PilothouseError INT_OR_STRING_INVALID for other
 * text.
 */
export function scaledValue(value: IntOrString, total: number, rounding: 'up' | 'down'): number {
  if (typeof value === 'number') return value;
  if (!isPercentage(value)) {
    throw new PilothouseError({
      code: 'INT_OR_STRING_INVALID',
      message: `invalid value for IntOrString: invalid type: string is not a percentage: ${JSON.stringify(value)}`,
    });
  }
  const exact = (Number(value.slice(0, -1)) * total) / 100;
  return rounding === 'up' ? Math.ceil(exact) : Math.floor(exact);
}

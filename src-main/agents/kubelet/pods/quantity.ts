// Quantities of a container's resources as plain numbers; undefined where nothing, or nothing readable, is said.

import { isQuantity, quantityMilliValue, quantityToNumber, quantityValue as wholeValue } from '../../../api';

type Text = string | number | undefined;

const read = (text: Text, measure: (text: string | number) => number) =>
  text !== undefined && isQuantity(text) ? measure(text) : undefined;

/** The value in base units (cores, bytes). */
export const quantityValue = (text: Text) => read(text, quantityToNumber);

/** Thousandths of the base unit, rounded up, as upstream's MilliValue. */
export const milliValue = (text: Text) => read(text, quantityMilliValue);

/** Whole base units, rounded up, as upstream's Value. */
export const byteValue = (text: Text) => read(text, wholeValue);

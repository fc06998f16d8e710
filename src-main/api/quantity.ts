// Resource quantities (apimachinery resource.Quantity): exact numbers down to 10^-9, with the suffix family remembered
// so that they print the way they were written. Finer values round up (away from zero), as upstream does.

import { PilothouseError } from '../kit';

export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent';

export interface Quantity {
  /** The value times 10^9. */
  readonly nano: bigint;
  readonly format: QuantityFormat;
}

export type QuantityInput = string | number | Quantity;

const nanoPerOne = 1_000_000_000n;
const decimalExponents: Record<string, number> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const decimalSuffixes = new Map(Object.entries(decimalExponents).map(([suffix, exponent]) => [exponent, suffix]));
const binarySuffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const shape = /^([+-]?)([0-9]*)(?:\.([0-9]*))?([a-zA-Z]*)([+-]?[0-9]*)$/;
const formatWrong = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

function invalid(message: string, text: string): PilothouseError {
  return new PilothouseError({ code: 'QUANTITY_INVALID', message, details: { text } });
}

function suffixOf(
  letters: string,
  digits: string,
  text: string,
): { base: bigint; power: number; format: QuantityFormat } {
  if (digits !== '') {
    if (letters !== 'e' && letters !== 'E') throw invalid(formatWrong, text);
    return { base: 10n, power: Number(digits), format: 'DecimalExponent' };
  }
  const binary = letters === '' ? -1 : binarySuffixes.indexOf(letters);
  if (binary > 0) return { base: 1024n, power: binary, format: 'BinarySI' };
  const power = decimalExponents[letters];
  if (power === undefined) throw invalid("unable to parse quantity's suffix", text);
  return { base: 10n, power, format: 'DecimalSI' };
}

function divideRoundingUp(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  return dividend % divisor > 0n ? quotient + 1n : quotient;
}

/** Parses `500m`, `1.5Gi`, `1e3`, `2`. Throws PilothouseError QUANTITY_INVALID with upstream's wording. */
export function parseQuantity(input: QuantityInput): Quantity {
  if (typeof input === 'object') return input;
  const text = String(input).trim();
  if (text === '') throw invalid(formatWrong, text);
  const match = shape.exec(text);
  const whole = match?.[2] ?? '';
  const fraction = match?.[3] ?? '';
  if (!match || (whole === '' && fraction === '')) throw invalid(formatWrong, text);
  const { base, power, format } = suffixOf(match[4]!, match[5]!, text);
  if (Math.abs(power) > 100) throw invalid(formatWrong, text);
  const digits = BigInt(whole + fraction);
  const numerator = digits * nanoPerOne * (power > 0 ? base ** BigInt(power) : 1n);
  const denominator = 10n ** BigInt(fraction.length) * (power < 0 ? base ** BigInt(-power) : 1n);
  const magnitude = divideRoundingUp(numerator, denominator);
  return { nano: match[1] === '-' ? -magnitude : magnitude, format };
}

/** Whether the text is a quantity. */
export function isQuantity(text: unknown): boolean {
  if (typeof text !== 'string' && typeof text !== 'number') return false;
  try {
    parseQuantity(text);
    return true;
  } catch (error) {
    if (error instanceof PilothouseError) return false;
    throw error;
  }
}

/** Canonical text: no fraction, the largest suffix that keeps it exact. */
export function formatQuantity(quantity: Quantity): string {
  const { nano } = quantity;
  if (nano === 0n) return '0';
  const binary =
    quantity.format === 'BinarySI' &&
    nano % nanoPerOne === 0n &&
    (nano >= 1024n * nanoPerOne || nano <= -1024n * nanoPerOne);
  if (binary) {
    let number = nano / nanoPerOne;
    let power = 0;
    while (number % 1024n === 0n && power < binarySuffixes.length - 1) {
      number /= 1024n;
      power += 1;
    }
    return `${number}${binarySuffixes[power]!}`;
  }
  let number = nano;
  let exponent = -9;
  while (number % 1000n === 0n && (exponent < 18 || quantity.format === 'DecimalExponent')) {
    number /= 1000n;
    exponent += 3;
  }
  if (quantity.format !== 'DecimalExponent') return `${number}${decimalSuffixes.get(exponent)!}`;
  return exponent === 0 ? `${number}` : `${number}e${exponent}`;
}

/** The canonical text of a quantity's text: `0.5` → `500m`, `1024Mi` → `1Gi`. */
export function canonicalQuantity(input: QuantityInput): string {
  return formatQuantity(parseQuantity(input));
}

/** Negative, zero or positive as `a` is less than, equal to or greater than `b`. */
export function compareQuantities(a: QuantityInput, b: QuantityInput): number {
  const difference = parseQuantity(a).nano - parseQuantity(b).nano;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

function combine(a: Quantity, b: Quantity, nano: bigint): Quantity {
  // Upstream: a zero takes over the other's format.
  return { nano, format: a.nano === 0n ? b.format : a.format };
}

export function addQuantities(a: QuantityInput, b: QuantityInput): Quantity {
  const left = parseQuantity(a);
  const right = parseQuantity(b);
  return combine(left, right, left.nano + right.nano);
}

export function subtractQuantities(a: QuantityInput, b: QuantityInput): Quantity {
  const left = parseQuantity(a);
  const right = parseQuantity(b);
  return combine(left, right, left.nano - right.nano);
}

/** Whole units, rounded up: bytes of a memory quantity. */
export function quantityValue(input: QuantityInput): number {
  return Number(divideRoundingUp(parseQuantity(input).nano, nanoPerOne));
}

/** Thousandths, rounded up: millicores of a CPU quantity. */
export function quantityMilliValue(input: QuantityInput): number {
  return Number(divideRoundingUp(parseQuantity(input).nano, 1_000_000n));
}

/** As a floating-point number, for charts and scores. */
export function quantityToNumber(input: QuantityInput): number {
  return Number(parseQuantity(input).nano) / 1e9;
}

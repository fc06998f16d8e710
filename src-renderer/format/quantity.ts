// Kubernetes quantities and byte counts, parsed to numbers and printed for a person.

import { isQuantity, quantityToNumber } from '../../src-main/api/quantity';

/** The number a quantity stands for (`100m` → 0.1, `64Mi` → 67108864); 0 for what is absent or malformed. */
export function parseQuantity(quantity: string | number | undefined): number {
  return quantity !== undefined && isQuantity(quantity) ? quantityToNumber(quantity) : 0;
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `1536` → `1.5 KiB`; three significant digits at most. */
export function formatBytes(bytes: number, locale?: string): string {
  let value = Math.max(0, bytes);
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toLocaleString(locale, { maximumFractionDigits: digits })} ${units[unit]}`;
}

/** CPUs: `0.1` → `100m`, `2` → `2`. */
export function formatCpu(cpus: number): string {
  if (cpus > 0 && cpus < 1) return `${Math.round(cpus * 1000)}m`;
  return String(Math.round(cpus * 100) / 100);
}

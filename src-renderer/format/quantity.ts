// Kubernetes quantities and byte counts, parsed to numbers and printed for a person.

const factors: Record<string, number> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** The number a quantity stands for (`100m` → 0.1, `64Mi` → 67108864); 0 for what is absent or malformed. */
export function parseQuantity(quantity: string | number | undefined): number {
  if (quantity === undefined) return 0;
  const match = /^([+-]?[0-9.]+)(?:([eE][+-]?\d+)|([a-zA-Z]{0,2}))$/.exec(String(quantity).trim());
  if (!match) return 0;
  const value = Number(`${match[1]}${match[2] ?? ''}`);
  const factor = factors[match[3] ?? ''];
  return Number.isFinite(value) && factor !== undefined ? value * factor : 0;
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

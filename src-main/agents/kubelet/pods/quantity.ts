// Quantities as plain numbers, for cgroup values. Exact for everything a container's resources can say.

const suffixes: Record<string, number> = {
  '': 1,
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
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

/** The value in base units (cores, bytes); undefined when the text is no quantity. */
export function quantityValue(text: string | number | undefined): number | undefined {
  if (text === undefined) return undefined;
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:[eE]([+-]?\d+))?([a-zA-Z]*)$/.exec(String(text));
  const scale = match ? suffixes[match[3]!] : undefined;
  if (!match || scale === undefined) return undefined;
  return Number(match[1]) * 10 ** Number(match[2] ?? 0) * scale;
}

export function milliValue(text: string | number | undefined): number | undefined {
  const value = quantityValue(text);
  return value === undefined ? undefined : Math.ceil(Number((value * 1000).toFixed(6)));
}

export function byteValue(text: string | number | undefined): number | undefined {
  const value = quantityValue(text);
  return value === undefined ? undefined : Math.ceil(value);
}

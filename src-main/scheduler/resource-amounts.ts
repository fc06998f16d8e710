// Amounts of resources as plain numbers: milli for CPU, whole units for the rest. What a Pod asks for is worked out once
// when it is seen, so that a scheduling cycle only adds and compares. Pure.

import { type Container, type PodSpec, type Quantities, quantityMilliValue, quantityValue } from '../api';

export type Amounts = Readonly<Record<string, number>>;

export function amountsOf(quantities: Quantities | undefined): Record<string, number> {
  const amounts: Record<string, number> = {};
  for (const [name, quantity] of Object.entries(quantities ?? {})) {
    amounts[name] = name === 'cpu' ? quantityMilliValue(quantity) : quantityValue(quantity);
  }
  return amounts;
}

export function addAmounts(into: Record<string, number>, amounts: Amounts, sign: 1 | -1 = 1): void {
  for (const [name, amount] of Object.entries(amounts)) into[name] = (into[name] ?? 0) + sign * amount;
}

function raiseTo(into: Record<string, number>, amounts: Amounts): void {
  for (const [name, amount] of Object.entries(amounts)) into[name] = Math.max(into[name] ?? 0, amount);
}

/**
 * What the scheduler sets aside for a Pod: the containers and sidecars together, or the largest init container on top
 * of the sidecars started before it, whichever is more; plus the overhead (KEP-753 sidecars).
 */
export function podRequests(spec: PodSpec): Amounts {
  return sumOf(spec, ({ resources }) => amountsOf(resources?.requests));
}

/** Scores count a container without requests as 100m and 200 MB, so that such Pods spread too. */
export function scoringRequests(spec: PodSpec): Amounts {
  return sumOf(spec, ({ resources }) => ({
    cpu: 100,
    memory: 200 * 1024 * 1024,
    ...amountsOf(resources?.requests),
  }));
}

function sumOf(spec: PodSpec, requestsOf: (container: Container) => Amounts): Amounts {
  const total: Record<string, number> = {};
  for (const container of spec.containers) addAmounts(total, requestsOf(container));
  const sidecars: Record<string, number> = {};
  const starting: Record<string, number> = {};
  for (const container of spec.initContainers ?? []) {
    const amounts = requestsOf(container);
    if (container.restartPolicy === 'Always') {
      addAmounts(total, amounts);
      addAmounts(sidecars, amounts);
      raiseTo(starting, sidecars);
    } else {
      const peak = { ...sidecars };
      addAmounts(peak, amounts);
      raiseTo(starting, peak);
    }
  }
  raiseTo(total, starting);
  if (spec.resources?.requests) Object.assign(total, amountsOf(spec.resources.requests));
  addAmounts(total, amountsOf(spec.overhead));
  return total;
}

// Objects that are shared between readers are frozen all the way down, so that a write to one is an error at once
// instead of a wrong cache later.

/** Freezes a JSON value in place. A value whose root is already frozen is taken to be frozen all the way down. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const member of Object.values(value)) deepFreeze(member);
  return value;
}

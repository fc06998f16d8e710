// Image references as people write them, and which registry they mean.

/** With `:latest` added when neither tag nor digest is given, as Docker's own client does. */
export function normalizedReference(reference: string): string {
  if (reference.includes('@')) return reference;
  const last = reference.slice(reference.lastIndexOf('/') + 1);
  return last.includes(':') ? reference : `${reference}:latest`;
}

/** The host of the registry; docker.io when the reference names none. */
export function registryOf(reference: string): string {
  const slash = reference.indexOf('/');
  const first = slash === -1 ? '' : reference.slice(0, slash);
  return first.includes('.') || first.includes(':') || first === 'localhost' ? first : 'docker.io';
}

export type PullPolicy = 'Always' | 'IfNotPresent' | 'Never';

/** The policy of a container that states none: Always for `latest`, otherwise IfNotPresent. */
export function pullPolicyOf(reference: string, stated: string | undefined): PullPolicy {
  if (stated === 'Always' || stated === 'IfNotPresent' || stated === 'Never') return stated;
  return normalizedReference(reference).endsWith(':latest') ? 'Always' : 'IfNotPresent';
}

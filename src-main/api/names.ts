// What may be a name, a label, a port name, …: each function answers with Kubernetes' own complaints, none when valid
// (apimachinery util/validation).

const label1123 = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const subdomain1123 = `${label1123}(\\.${label1123})*`;
const label1035 = '[a-z]([-a-z0-9]*[a-z0-9])?';
const qualifiedName = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const labelValue = `(${qualifiedName})?`;
const configMapKey = '[-._a-zA-Z0-9]+';

export const ipAddressMessage = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
export const portNumberMessage = 'must be between 1 and 65535, inclusive';
export const nonNegativeMessage = 'must be greater than or equal to 0';
export const immutableMessage = 'field is immutable';

/** A complaint with examples, as upstream words it. */
export function patternMessage(message: string, pattern: string, ...examples: string[]): string {
  const shown = examples.map((example) => `'${example}', `).join(' or ');
  const start = examples.length === 0 ? `${message} (` : `${message} (e.g. ${shown}`;
  return `${start}regex used for validation is '${pattern}')`;
}

function tooLongMessage(limit: number): string {
  return `must be no more than ${limit} bytes`;
}

function whole(pattern: string): RegExp {
  return new RegExp(`^(?:${pattern})$`);
}

const label1123Shape = whole(label1123);
const subdomain1123Shape = whole(subdomain1123);
const label1035Shape = whole(label1035);
const qualifiedNameShape = whole(qualifiedName);
const labelValueShape = whole(labelValue);
const configMapKeyShape = whole(configMapKey);

function check(value: string, shape: RegExp, limit: number, message: string): string[] {
  const problems: string[] = [];
  if (value.length > limit) problems.push(tooLongMessage(limit));
  if (!shape.test(value)) problems.push(message);
  return problems;
}

const label1123Message = patternMessage(
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
  label1123,
  'my-name',
  '123-abc',
);
const subdomain1123Message = patternMessage(
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
  subdomain1123,
  'example.com',
);
const label1035Message = patternMessage(
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
  label1035,
  'my-name',
  'abc-123',
);
const qualifiedNameText =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";

export function dns1123LabelProblems(value: string): string[] {
  return check(value, label1123Shape, 63, label1123Message);
}

export function dns1123SubdomainProblems(value: string): string[] {
  return check(value, subdomain1123Shape, 253, subdomain1123Message);
}

export function dns1035LabelProblems(value: string): string[] {
  return check(value, label1035Shape, 63, label1035Message);
}

/** Names that become a path segment as they are (rbac kinds, for one). */
export function pathSegmentProblems(value: string): string[] {
  if (value === '.' || value === '..') return [`may not be '${value}'`];
  return ['/', '%'].filter((part) => value.includes(part)).map((part) => `may not contain '${part}'`);
}

export type NameFormat = 'dns1123-subdomain' | 'dns1123-label' | 'dns1035-label' | 'path-segment';

const nameProblemsByFormat: Record<NameFormat, (value: string) => string[]> = {
  'dns1123-subdomain': dns1123SubdomainProblems,
  'dns1123-label': dns1123LabelProblems,
  'dns1035-label': dns1035LabelProblems,
  'path-segment': pathSegmentProblems,
};

/** Complaints about an object's name; a prefix (generateName) may end in `-`. */
export function nameProblems(value: string, format: NameFormat, options: { prefix?: boolean } = {}): string[] {
  const masked = options.prefix && value.length > 1 && value.endsWith('-') ? `${value.slice(0, -2)}a` : value;
  return nameProblemsByFormat[format](masked);
}

/** Keys of labels and annotations, finalizers, resource names: `name` or `prefix/name`. */
export function qualifiedNameProblems(value: string): string[] {
  const parts = value.split('/');
  if (parts.length > 2) {
    const message = patternMessage(qualifiedNameText, qualifiedName, 'MyName', 'my.name', '123-abc');
    return [`a qualified name ${message} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  const problems: string[] = [];
  const name = parts.at(-1)!;
  if (parts.length === 2) {
    const prefix = parts[0]!;
    if (prefix === '') problems.push('prefix part must be non-empty');
    else problems.push(...dns1123SubdomainProblems(prefix).map((message) => `prefix part ${message}`));
  }
  if (name === '') problems.push('name part must be non-empty');
  else if (name.length > 63) problems.push(`name part ${tooLongMessage(63)}`);
  if (!qualifiedNameShape.test(name)) {
    problems.push(`name part ${patternMessage(qualifiedNameText, qualifiedName, 'MyName', 'my.name', '123-abc')}`);
  }
  return problems;
}

const labelValueMessage = patternMessage(
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  labelValue,
  'MyValue',
  'my_value',
  '12345',
);

export function labelValueProblems(value: string): string[] {
  return check(value, labelValueShape, 63, labelValueMessage);
}

export function portNameProblems(value: string): string[] {
  const problems: string[] = [];
  if (value.length > 15) problems.push('must be no more than 15 characters');
  if (!/^[-a-z0-9]+$/.test(value)) {
    problems.push('must contain only alphanumeric characters (a-z, 0-9), and hyphens (-)');
  }
  if (!/[a-z]/.test(value)) problems.push('must contain at least one letter (a-z)');
  if (value.includes('--')) problems.push('must not contain consecutive hyphens');
  if (value.startsWith('-') || value.endsWith('-')) problems.push('must not begin or end with a hyphen');
  return problems;
}

export function portNumberProblems(value: number): string[] {
  return Number.isInteger(value) && value >= 1 && value <= 65535 ? [] : [portNumberMessage];
}

export function envVarNameProblems(value: string): string[] {
  if (/^[\x20-\x3c\x3e-\x7e]+$/.test(value)) return [];
  return ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
}

const configMapKeyMessage = patternMessage(
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
  configMapKey,
  'key.name',
  'KEY_NAME',
  'key-name',
);

/** Keys of ConfigMap and Secret data. */
export function configMapKeyProblems(value: string): string[] {
  const problems = check(value, configMapKeyShape, 253, configMapKeyMessage);
  if (value === '.') problems.push("must not be '.'");
  else if (value === '..') problems.push("must not be '..'");
  else if (value.startsWith('..')) problems.push("must not start with '..'");
  return problems;
}

function isIPv4(value: string): boolean {
  const parts = value.split('.');
  return parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
}

function isIPv6(value: string): boolean {
  const halves = value.split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  const last = groups.at(-1);
  const embedded = last?.includes('.') ?? false;
  if (embedded && !isIPv4(last!)) return false;
  const hexadecimal = embedded ? groups.slice(0, -1) : groups;
  const count = groups.length + (embedded ? 1 : 0);
  if (!hexadecimal.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return false;
  return halves.length === 2 ? count < 8 : count === 8;
}

/** 4, 6, or undefined when the text is no IP address. */
export function ipFamilyOf(value: string): 4 | 6 | undefined {
  return isIPv4(value) ? 4 : value.includes(':') && isIPv6(value) ? 6 : undefined;
}

export function ipProblems(value: string): string[] {
  return ipFamilyOf(value) ? [] : [ipAddressMessage];
}

/** `address/bits` with no bits set beyond the prefix length is not required, as upstream. */
export function isCIDR(value: string): boolean {
  const [address, bits, ...rest] = value.split('/');
  const family = ipFamilyOf(address ?? '');
  if (!family || rest.length > 0 || !/^\d{1,3}$/.test(bits ?? '')) return false;
  return Number(bits) <= (family === 4 ? 32 : 128);
}

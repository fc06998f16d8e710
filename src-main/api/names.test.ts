import { describe, expect, it } from 'vitest';
import * as names from './names';

describe.each<[string, (value: string) => string[], string[], string[]]>([
  [
    'dns1123LabelProblems',
    names.dns1123LabelProblems,
    ['a', 'a-1', '1a'],
    ['', '-a', 'a-', 'A', 'a.b', 'a'.repeat(64), 'a\n'],
  ],
  [
    'dns1123SubdomainProblems',
    names.dns1123SubdomainProblems,
    ['a.b', 'a'.repeat(253)],
    ['a..b', '.a', 'a_b', 'a'.repeat(254)],
  ],
  ['dns1035LabelProblems', names.dns1035LabelProblems, ['a-1'], ['1a', 'a.b', '']],
  ['pathSegmentProblems', names.pathSegmentProblems, ['system:node', 'A b'], ['.', '..', 'a/b', 'a%b']],
  [
    'qualifiedNameProblems',
    names.qualifiedNameProblems,
    ['a', 'A.b_c', 'example.com/a'],
    ['', '/a', 'a/', 'a/b/c', 'A/b', '-a'],
  ],
  ['labelValueProblems', names.labelValueProblems, ['', 'a', 'A_1'], ['-', 'a b', 'a'.repeat(64)]],
  ['portNameProblems', names.portNameProblems, ['http', 'a-1'], ['', '80', 'a--b', '-a', 'Http', 'a'.repeat(16)]],
  ['envVarNameProblems', names.envVarNameProblems, ['A', 'a.b-c', '1 x'], ['', 'a=b', 'ä']],
  ['configMapKeyProblems', names.configMapKeyProblems, ['a.b', '.profile'], ['', '.', '..', '..a', 'a/b']],
  [
    'ipProblems',
    names.ipProblems,
    ['1.2.3.4', '::', '::1', 'fd00::1:2', '1:2:3:4:5:6:7:8', '::ffff:1.2.3.4'],
    ['1.2.3', '01.2.3.4', '256.1.1.1', 'x', ':::', '1::2::3', '1:2', '12345::'],
  ],
])('%s', (_name, problemsOf, valid, invalid) => {
  it.each(valid)('accepts %j', (value) => expect(problemsOf(value)).toEqual([]));
  it.each(invalid)('refuses %j', (value) => expect(problemsOf(value)).not.toEqual([]));
});

it('tells CIDRs', () => {
  expect(['10.0.0.0/8', 'fd00::/64', '10.0.0.1/24'].every(names.isCIDR)).toBe(true);
  expect(['10.0.0.0', '10.0.0.0/33', '10.0.0.0/8/9', 'x/8', '10.0.0.0/'].some(names.isCIDR)).toBe(false);
});

it('takes a trailing dash in prefixes only', () => {
  expect(names.nameProblems('web-', 'dns1123-label')).not.toEqual([]);
  expect(names.nameProblems('web-', 'dns1123-label', { prefix: true })).toEqual([]);
});

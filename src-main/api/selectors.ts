// Label selectors (text and object form) and field selectors: parsing, matching, printing.

import { PilothouseError } from '../kit';
import type { LabelSelector } from './core/types';
import { labelValueProblems, qualifiedNameProblems } from './names';

export type LabelOperator = '=' | '!=' | 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt';

export interface LabelRequirement {
  key: string;
  operator: LabelOperator;
  values: readonly string[];
}

export interface FieldRequirement {
  field: string;
  operator: '=' | '!=';
  value: string;
}

export type Labels = Readonly<Record<string, string>>;
export type LabelMatcher = (labels: Labels | undefined) => boolean;

function invalid(message: string): PilothouseError {
  return new PilothouseError({ code: 'SELECTOR_INVALID', message: `unable to parse requirement: ${message}` });
}

/** Splits at commas that are not inside parentheses. */
function splitRequirements(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (character === '(') depth += 1;
    else if (character === ')') depth -= 1;
    else if (character === ',' && depth === 0) {
      parts.push(text.slice(start, index));
      start = index + 1;
    }
  }
  parts.push(text.slice(start));
  return parts.map((part) => part.trim());
}

function checked(requirement: LabelRequirement): LabelRequirement {
  const keyProblems = qualifiedNameProblems(requirement.key);
  if (keyProblems.length > 0) {
    throw invalid(`<nil>: Invalid value: ${JSON.stringify(requirement.key)}: ${keyProblems.join('; ')}`);
  }
  for (const value of requirement.values) {
    const problems = labelValueProblems(value);
    if (problems.length > 0) {
      const path = `values[${requirement.values.indexOf(value)}][${requirement.key}]`;
      throw invalid(`${path}: Invalid value: ${JSON.stringify(value)}: ${problems.join('; ')}`);
    }
  }
  return requirement;
}

function parseRequirement(text: string): LabelRequirement {
  const set = /^(\S+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(text);
  if (set) {
    const values = [...new Set(set[3]!.split(',').map((value) => value.trim()))].sort();
    return checked({ key: set[1]!, operator: set[2] as 'in' | 'notin', values });
  }
  const comparison = /^([^\s=!<>()]+)\s*(==|!=|=|<|>)\s*([^\s=!<>()]*)$/.exec(text);
  if (comparison) {
    const operators: Record<string, LabelOperator> = { '==': '=', '=': '=', '!=': '!=', '<': 'lt', '>': 'gt' };
    const operator = operators[comparison[2]!]!;
    if ((operator === 'lt' || operator === 'gt') && !/^-?\d+$/.test(comparison[3]!)) {
      throw invalid(`for 'Gt', 'Lt' operators, the value must be an integer`);
    }
    return checked({ key: comparison[1]!, operator, values: [comparison[3]!] });
  }
  const existence = /^(!?)\s*([^\s=!<>()]+)$/.exec(text);
  if (existence) return checked({ key: existence[2]!, operator: existence[1] ? '!' : 'exists', values: [] });
  if (text === '') throw invalid("found '', expected: !, identifier, or 'end of string'");
  throw invalid(`found '${text}', expected: in, notin, =, ==, !=, gt, lt`);
}

/** `a=b,c!=d,e in (x,y),f notin (z),g,!h`. Empty text selects everything. Throws PilothouseError SELECTOR_INVALID. */
export function parseLabelSelector(text: string): LabelRequirement[] {
  if (text.trim() === '') return [];
  return splitRequirements(text).map(parseRequirement);
}

export function matchesRequirement(requirement: LabelRequirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, requirement.key) ? labels[requirement.key] : undefined;
  switch (requirement.operator) {
    case '=':
    case 'in':
      return value !== undefined && requirement.values.includes(value);
    case '!=':
    case 'notin':
      return value === undefined || !requirement.values.includes(value);
    case 'exists':
      return value !== undefined;
    case '!':
      return value === undefined;
    case 'gt':
    case 'lt': {
      if (value === undefined || !/^-?\d+$/.test(value)) return false;
      const bound = BigInt(requirement.values[0]!);
      return requirement.operator === 'gt' ? BigInt(value) > bound : BigInt(value) < bound;
    }
  }
}

export function matchesLabels(requirements: readonly LabelRequirement[], labels: Labels | undefined): boolean {
  return requirements.every((requirement) => matchesRequirement(requirement, labels ?? {}));
}

const objectOperators: Record<string, LabelOperator> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
};

/** Requirements of a LabelSelector object, sorted by key. Throws SELECTOR_INVALID for an unknown operator. */
export function selectorRequirements(selector: LabelSelector): LabelRequirement[] {
  const fromLabels = Object.entries(selector.matchLabels ?? {}).map(
    ([key, value]): LabelRequirement => ({ key, operator: '=', values: [value] }),
  );
  const fromExpressions = (selector.matchExpressions ?? []).map((expression): LabelRequirement => {
    const operator = objectOperators[expression.operator];
    if (!operator) throw invalid(`"${expression.operator}" is not a valid label selector operator`);
    return { key: expression.key, operator, values: [...(expression.values ?? [])].sort() };
  });
  return [...fromLabels, ...fromExpressions].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

/** A matcher of a LabelSelector object: absent matches nothing, empty matches everything. */
export function labelSelectorMatcher(selector: LabelSelector | null | undefined): LabelMatcher {
  if (!selector) return () => false;
  const requirements = selectorRequirements(selector);
  return (labels) => matchesLabels(requirements, labels);
}

/** A matcher of a plain map of labels (Service and ReplicationController selectors): an empty map matches nothing. */
export function labelMapMatcher(map: Labels | undefined): LabelMatcher {
  const entries = Object.entries(map ?? {});
  return (labels) => entries.length > 0 && entries.every(([key, value]) => labels?.[key] === value);
}

export function formatRequirement(requirement: LabelRequirement): string {
  const { key, operator, values } = requirement;
  switch (operator) {
    case '=':
    case '!=':
      return `${key}${operator}${values[0]!}`;
    case 'gt':
      return `${key}>${values[0]!}`;
    case 'lt':
      return `${key}<${values[0]!}`;
    case 'exists':
      return key;
    case '!':
      return `!${key}`;
    default:
      return `${key} ${operator} (${values.join(',')})`;
  }
}

/** Text form of a LabelSelector object, as the scale subresource and the client's list options carry it. */
export function labelSelectorText(selector: LabelSelector | null | undefined): string {
  return selector ? selectorRequirements(selector).map(formatRequirement).join(',') : '';
}

/** The same for people: `<none>` when empty. */
export function formatLabelSelector(selector: LabelSelector | null | undefined): string {
  return labelSelectorText(selector) || '<none>';
}

/** `a=b,c=d` sorted by key, `<none>` when empty. */
export function formatLabels(labels: Labels | undefined): string {
  const text = Object.entries(labels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(',');
  return text || '<none>';
}

/** `a=b,c==d,e!=f`; `\,` `\=` and `\\` stand for themselves in values. Throws PilothouseError SELECTOR_INVALID. */
export function parseFieldSelector(text: string): FieldRequirement[] {
  const terms = text.match(/(?:\\.|[^,\\])+/g) ?? [];
  return terms.map((term) => {
    const match = /^((?:\\.|[^=!\\])+)(!=|==|=)((?:\\.|[^\\])*)$/.exec(term.trim());
    if (!match) {
      throw new PilothouseError({
        code: 'SELECTOR_INVALID',
        message: `invalid selector: '${text}'; can't understand '${term}'`,
      });
    }
    const operator = match[2] === '!=' ? '!=' : '=';
    return { field: match[1]!.trim(), operator, value: match[3]!.replaceAll(/\\([,=\\])/g, '$1') };
  });
}

/** Whether the object with these field values is selected; a field that is absent reads as ''. */
export function matchesFields(
  requirements: readonly FieldRequirement[],
  valueOf: (field: string) => string | undefined,
): boolean {
  return requirements.every(({ field, operator, value }) => ((valueOf(field) ?? '') === value) === (operator === '='));
}

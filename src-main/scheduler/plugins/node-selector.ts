// Node selector terms: requirements on labels and on fields (only metadata.name exists). Pure.

import {
  matchesRequirement,
  type LabelOperator,
  type Node,
  type NodeSelectorTerm,
  type SelectorRequirement,
} from '../../api';

const operators: Readonly<Record<string, LabelOperator>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
  Gt: 'gt',
  Lt: 'lt',
};

/** All requirements of a term hold; an empty term matches nothing. */
export function matchesTerm(term: NodeSelectorTerm, node: Node): boolean {
  const { matchExpressions = [], matchFields = [] } = term;
  if (matchExpressions.length + matchFields.length === 0) return false;
  const fields = { 'metadata.name': node.metadata.name ?? '' };
  return (
    matchExpressions.every((requirement) => matches(requirement, node.metadata.labels ?? {})) &&
    matchFields.every((requirement) => matches(requirement, fields))
  );
}

function matches({ key, operator, values = [] }: SelectorRequirement, labels: Record<string, string>): boolean {
  const known = operators[operator];
  return known !== undefined && matchesRequirement({ key, operator: known, values }, labels);
}

// What a namespace says about its own deletion, worded as upstream. Pure.

import type { Condition } from '../../api';
import type { ServedKind } from '../engine';

export interface Remainder {
  kind: ServedKind;
  count: number;
  /** Finalizers that hold them. */
  finalizers: string[];
}

export function contentConditions(remaining: readonly Remainder[], failures: readonly string[]): Condition[] {
  const finalizers = new Map<string, number>();
  for (const name of remaining.flatMap((remainder) => remainder.finalizers)) {
    finalizers.set(name, (finalizers.get(name) ?? 0) + 1);
  }
  const content = remaining.map(({ kind, count }) => {
    const name = kind.group ? `${kind.plural}.${kind.group}` : kind.plural;
    return `${name} has ${count} resource instances`;
  });
  const held = [...finalizers].map(([name, count]) => `${name} in ${count} resource instances`);
  return [
    condition('NamespaceDeletionContentFailure', failures, {
      reasons: ['ContentDeletionFailed', 'ContentDeleted'],
      some: `Failed to delete all resource types, ${failures.length} remaining: ${failures.join(', ')}`,
      none: 'All content successfully deleted, may be waiting on finalization',
    }),
    condition('NamespaceContentRemaining', content, {
      reasons: ['SomeResourcesRemain', 'ContentRemoved'],
      some: `Some resources are remaining: ${content.join(', ')}`,
      none: 'All content successfully removed',
    }),
    condition('NamespaceFinalizersRemaining', held, {
      reasons: ['SomeFinalizersRemain', 'ContentHasNoFinalizers'],
      some: `Some content in the namespace has finalizers remaining: ${held.join(', ')}`,
      none: 'All content-preserving finalizers finished',
    }),
  ];
}

function condition(
  type: string,
  items: readonly string[],
  words: { reasons: [string, string]; some: string; none: string },
): Condition {
  const some = items.length > 0;
  return {
    type,
    status: some ? 'True' : 'False',
    reason: words.reasons[some ? 0 : 1],
    message: some ? words.some : words.none,
  };
}

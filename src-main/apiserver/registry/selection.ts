// Which objects a list or watch wants: label and field selectors, parsed once a request.

import {
  type FieldRequirement,
  type Kind,
  type KubeObject,
  type LabelRequirement,
  matchesLabels,
  parseFieldSelector,
  parseLabelSelector,
} from '../../api';
import { messageOf } from '../../kit';
import { badRequest } from '../status/errors';
import { apiVersionOf } from './codec';

export interface Selection {
  /** Nothing is asked for: everything matches. */
  readonly everything: boolean;
  /** The only name that can match, when the field selector says so. */
  readonly name: string | undefined;
  readonly namespace: string | undefined;
  matches(object: KubeObject): boolean;
}

export const everything: Selection = { everything: true, name: undefined, namespace: undefined, matches: () => true };

/** Parses both selectors; throws 400 with upstream's wording. */
export function parseSelection(
  kind: Kind,
  selectors: { labelSelector?: string | undefined; fieldSelector?: string | undefined },
): Selection {
  const { labelSelector, fieldSelector } = selectors;
  if (!labelSelector && !fieldSelector) return everything;
  let labels: LabelRequirement[];
  let fields: FieldRequirement[];
  try {
    labels = labelSelector ? parseLabelSelector(labelSelector) : [];
    fields = fieldSelector ? parseFieldSelector(fieldSelector) : [];
  } catch (error) {
    throw badRequest(messageOf(error));
  }
  if (labels.length === 0 && fields.length === 0) return everything;
  const tests = fields.map((requirement) => fieldTest(kind, requirement, selectors));
  const exact = (field: string) => fields.find((item) => item.field === field && item.operator === '=')?.value;
  return {
    everything: false,
    name: exact('metadata.name'),
    namespace: exact('metadata.namespace'),
    matches: (object) =>
      (labels.length === 0 || matchesLabels(labels, object.metadata.labels)) && tests.every((test) => test(object)),
  };
}

function fieldTest(
  kind: Kind,
  requirement: FieldRequirement,
  selectors: { labelSelector?: string | undefined; fieldSelector?: string | undefined },
): (object: KubeObject) => boolean {
  const { field, operator, value } = requirement;
  const read = fieldReader(kind, field);
  if (!read) {
    const what = `${apiVersionOf(kind).includes('/') ? apiVersionOf(kind) : `/${kind.version}`}, Resource=${kind.plural}`;
    throw badRequest(
      `Unable to find "${what}" that match label selector "${selectors.labelSelector ?? ''}", field selector "${selectors.fieldSelector ?? ''}": field label not supported: ${field}`,
    );
  }
  return (object) => (read(object) === value) === (operator === '=');
}

function fieldReader(kind: Kind, field: string): ((object: KubeObject) => string) | undefined {
  if (field === 'metadata.name') return (object) => object.metadata.name ?? '';
  if (field === 'metadata.namespace') return (object) => object.metadata.namespace ?? '';
  return Object.hasOwn(kind.selectableFields, field) ? kind.selectableFields[field] : undefined;
}

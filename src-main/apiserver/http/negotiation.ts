// Content negotiation: what form of an answer the Accept header asks for. Only JSON and YAML are spoken; a Table or
// PartialObjectMetadata is another form of the same objects.

import { notAcceptable } from '../status/errors';

export type Form = 'object' | 'table' | 'partial';

export interface Representation {
  form: Form;
  yaml: boolean;
  /** v1 or v1beta1 of meta.k8s.io, for tables and partial objects. */
  version: string;
}

const plain: Representation = { form: 'object', yaml: false, version: 'v1' };
const accepted = ['application/json', 'application/yaml'];
const forms: Readonly<Record<string, Form>> = {
  Table: 'table',
  PartialObjectMetadata: 'partial',
  PartialObjectMetadataList: 'partial',
};
const yamlTypes = new Set(['application/yaml', 'text/yaml', 'application/x-yaml']);
const jsonTypes = new Set(['application/json', 'application/*', '*/*', 'text/*']);

/** Clients send few different headers; each is taken apart once. */
const known = new Map<string, Representation | undefined>();
const knownLimit = 256;

/** The first acceptable form; throws 406 when there is none. */
export function negotiate(accept: string | undefined): Representation {
  if (!accept) return plain;
  let found = known.get(accept);
  if (found === undefined) {
    found = parse(accept);
    if (known.size >= knownLimit) known.clear();
    known.set(accept, found);
  }
  if (!found) throw notAcceptable(accepted);
  return found;
}

function parse(accept: string): Representation | undefined {
  for (const range of accept.split(',')) {
    const [type = '', ...rest] = range.split(';').map((part) => part.trim());
    const yaml = yamlTypes.has(type);
    if (!yaml && !jsonTypes.has(type)) continue;
    const parameters = new Map(rest.map((part) => part.split('=', 2) as [string, string]));
    const as = parameters.get('as');
    if (as === undefined) return { ...plain, yaml };
    const version = parameters.get('v') ?? '';
    const known = version === 'v1' || version === 'v1beta1';
    const form = parameters.get('g') === 'meta.k8s.io' && known ? forms[as] : undefined;
    if (form) return { form, yaml, version };
  }
  return undefined;
}

// Tables and partial objects: the server-side printing that `kubectl get` shows. A row is made from the cached object;
// what it embeds of the object is a splice of cached text where that is possible.

import type { Kind } from '../../api';
import type { Entry } from '../registry/codec';

export type IncludeObject = 'None' | 'Metadata' | 'Object';

export interface TableOptions {
  kind: Kind;
  includeObject: IncludeObject;
  /** v1 or v1beta1. */
  version: string;
  now: number;
}

export interface ListMeta {
  resourceVersion?: string;
  continue?: string;
  remainingItemCount?: number;
}

const definitionTexts = new WeakMap<Kind, string>();

function definitions(kind: Kind): string {
  let text = definitionTexts.get(kind);
  if (text === undefined) {
    text = JSON.stringify(
      kind.columns.map(({ name, type, format = '', description = '', priority = 0 }) => ({
        name,
        type,
        format,
        description,
        priority,
      })),
    );
    definitionTexts.set(kind, text);
  }
  return text;
}

function partial(entry: Entry, version: string): string {
  const { metadata } = entry.object;
  return `{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/${version}","metadata":${JSON.stringify(metadata)}}`;
}

function row(entry: Entry, options: TableOptions): string {
  const cells = JSON.stringify(options.kind.columns.map((column) => column.value(entry.object, options.now)));
  if (options.includeObject === 'None') return `{"cells":${cells},"object":null}`;
  const object = options.includeObject === 'Object' ? entry.bytes.toString('utf8') : partial(entry, options.version);
  return `{"cells":${cells},"object":${object}}`;
}

/** A Table of the entries; without column definitions when `columns` is false (later events of a watch). */
export function tableText(
  entries: readonly Entry[],
  meta: ListMeta,
  options: TableOptions & { columns?: boolean },
): string {
  const head = `{"kind":"Table","apiVersion":"meta.k8s.io/${options.version}","metadata":${JSON.stringify(meta)}`;
  const columns = options.columns === false ? 'null' : definitions(options.kind);
  return `${head},"columnDefinitions":${columns},"rows":[${entries.map((entry) => row(entry, options)).join(',')}]}`;
}

export function partialText(entry: Entry, version: string): string {
  return partial(entry, version);
}

export function partialListText(entries: readonly Entry[], meta: ListMeta, version: string): string {
  const items = entries.map((entry) => partial(entry, version)).join(',');
  return `{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/${version}","metadata":${JSON.stringify(meta)},"items":[${items}]}`;
}

const comma = Buffer.from(',');
const tail = Buffer.from(']}');

/** A list of whole objects: their cached bytes, one after the other. */
export function listBytes(kind: Kind, entries: readonly Entry[], meta: ListMeta): Buffer {
  const apiVersion = kind.group ? `${kind.group}/${kind.version}` : kind.version;
  const head = `{"kind":"${kind.listKind}","apiVersion":"${apiVersion}","metadata":${JSON.stringify(meta)},"items":[`;
  const parts: Buffer[] = [Buffer.from(head)];
  for (const [index, entry] of entries.entries()) {
    if (index > 0) parts.push(comma);
    parts.push(entry.bytes);
  }
  parts.push(tail);
  return Buffer.concat(parts);
}

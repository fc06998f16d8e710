// Strategic merge patch: a merge patch that pairs list elements by the merge keys of the type, with its directives
// ($patch, $deleteFromPrimitiveList/, $setElementOrder/, $retainKeys). Neither argument is changed.
// Order of a merged list: $setElementOrder first, then the patch's order, then the live order.

import type { Schema } from '../schema';
import { schemaOf } from '../schema';
import type { JsonObject } from './json-value';
import { failedPatch, isJsonObject, malformedPatch } from './json-value';

const directive = '$patch';
const retainKeys = '$retainKeys';
const deletePrefix = '$deleteFromPrimitiveList/';
const orderPrefix = '$setElementOrder/';

const badOrder = 'invalid patch format of setElementOrder list';
const badPrimitiveList = 'invalid patch format of primitive list';
const badRetainKeys = 'invalid patch format of retainKeys';

interface ListRule {
  element: Schema | undefined;
  merge: boolean;
  key: string;
}

interface ListPatch {
  values?: unknown[];
  removals?: unknown[];
  order?: unknown[];
}

function resolve(schema: Schema | undefined): Schema | undefined {
  return schema?.$ref ? schemaOf(schema.$ref) : schema;
}

function fieldSchema(schema: Schema | undefined, field: string): Schema | undefined {
  return schema?.properties?.[field] ?? schema?.additionalProperties;
}

function strategiesOf(field: Schema | undefined): string[] {
  return field?.['x-kubernetes-patch-strategy']?.split(',') ?? [];
}

function listRule(field: Schema | undefined): ListRule {
  return {
    element: resolve(field?.items),
    merge: strategiesOf(field).includes('merge'),
    key: field?.['x-kubernetes-patch-merge-key'] ?? '',
  };
}

function badPatchType(value: unknown, patch: JsonObject): Error {
  return malformedPatch(`unknown patch type: ${String(value)} in map: ${JSON.stringify(patch)}`);
}

function noMergeKey(element: unknown, key: string): Error {
  return failedPatch(`map: ${JSON.stringify(element)} does not contain declared merge key: ${key}`);
}

function listOf(value: unknown, message: string): unknown[] {
  if (!Array.isArray(value)) throw malformedPatch(message);
  return value as unknown[];
}

/** What identifies an element: its merge key's value, or the scalar itself. */
function identity(element: unknown, key: string): unknown {
  if (key === '') return element;
  if (!isJsonObject(element)) throw failedPatch(`expected a map with merge key ${key}, got ${JSON.stringify(element)}`);
  if (!Object.hasOwn(element, key)) throw noMergeKey(element, key);
  return element[key];
}

function applyRetainKeys(original: JsonObject, patch: JsonObject): JsonObject {
  if (!(retainKeys in patch)) return original;
  const kept = new Set(listOf(patch[retainKeys], badRetainKeys));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null || key === retainKeys || key.startsWith(deletePrefix) || key.startsWith(orderPrefix)) continue;
    if (!kept.has(key)) throw malformedPatch(badRetainKeys);
  }
  return Object.fromEntries(Object.entries(original).filter(([key]) => kept.has(key)));
}

function mergeMap(live: JsonObject | undefined, patch: JsonObject, schema: Schema | undefined): JsonObject {
  if (directive in patch) {
    const { [directive]: kind, ...rest } = patch;
    if (kind === 'replace') return structuredClone(rest);
    if (kind === 'delete') return {};
    if (kind !== 'merge') throw badPatchType(kind, patch);
    return mergeMap(live, rest, schema);
  }
  const result = { ...applyRetainKeys(live ?? {}, patch) };
  const lists = new Map<string, ListPatch>();
  const listPatch = (field: string): ListPatch => {
    const known = lists.get(field) ?? {};
    lists.set(field, known);
    return known;
  };
  for (const [key, value] of Object.entries(patch)) {
    if (key === retainKeys) continue;
    if (key.startsWith(orderPrefix)) listPatch(key.slice(orderPrefix.length)).order = listOf(value, badOrder);
    else if (key.startsWith(deletePrefix)) {
      listPatch(key.slice(deletePrefix.length)).removals = listOf(value, badPrimitiveList);
    } else if (value === null) delete result[key];
    else if (Array.isArray(value)) listPatch(key).values = value as unknown[];
    else if (isJsonObject(value)) {
      const before = isJsonObject(result[key]) ? result[key] : undefined;
      const merged = mergeMap(before, value, resolve(fieldSchema(schema, key)));
      result[key] = merged;
    } else result[key] = value;
  }
  for (const [field, change] of lists) mergeListField(result, field, { change, field: fieldSchema(schema, field) });
  return result;
}

function mergeListField(into: JsonObject, name: string, patch: { change: ListPatch; field: Schema | undefined }): void {
  const { change } = patch;
  const rule = listRule(patch.field);
  const live = Array.isArray(into[name]) ? (into[name] as unknown[]) : undefined;
  if (!rule.merge) {
    if (change.values) into[name] = structuredClone(change.values);
    return;
  }
  if (!live && !change.values) return;
  let list = live ?? [];
  if (change.removals) {
    const removed = new Set(change.removals);
    list = list.filter((item) => !removed.has(item));
  }
  if (change.order && change.values) checkOrder(change.values, change.order, rule.key);
  if (change.values) list = mergeList(list, change.values, rule);
  if (change.order) list = enforceOrder(list, change.order, live ?? [], rule.key);
  into[name] = list;
}

function elementKind(element: unknown): string {
  if (Array.isArray(element)) throw failedPatch('lists of lists are not supported');
  return isJsonObject(element) ? 'map' : typeof element;
}

function mergeList(live: unknown[], patch: unknown[], rule: ListRule): unknown[] {
  const kinds = new Set([...live, ...patch].map(elementKind));
  if (kinds.size > 1) {
    throw failedPatch(`list element types are not identical: ${JSON.stringify([live, patch])}`);
  }
  if (!kinds.has('map')) return enforceOrder([...new Set([...live, ...patch])], patch, live, '');
  if (rule.key === '') throw failedPatch('cannot merge lists without merge key for type map');
  return mergeObjects(live, patch as JsonObject[], rule);
}

function mergeObjects(live: unknown[], patch: JsonObject[], rule: ListRule): unknown[] {
  const { key } = rule;
  let merged = [...live];
  let replace = false;
  const plain: JsonObject[] = [];
  for (const element of patch) {
    const kind = element[directive];
    if (kind === undefined) plain.push(element);
    else if (kind === 'replace') replace = true;
    else if (kind === 'delete') {
      const gone = identity(element, key);
      merged = merged.filter((item) => !isJsonObject(item) || item[key] !== gone);
    } else if (kind === 'merge') throw malformedPatch('merging lists cannot yet be specified in the patch');
    else throw badPatchType(kind, element);
  }
  if (replace) return structuredClone(plain);
  for (const element of plain) {
    const id = identity(element, key);
    const index = merged.findIndex((item) => isJsonObject(item) && item[key] === id);
    const before = index < 0 ? undefined : (merged[index] as JsonObject);
    const after = mergeMap(before, element, rule.element);
    if (index < 0) merged.push(after);
    else merged[index] = after;
  }
  return enforceOrder(merged, plain, live, key);
}

/** The patch's elements must come in the same relative order as in the $setElementOrder list. */
function checkOrder(patch: unknown[], order: unknown[], key: string): void {
  if (patch.length === 0 || order.length === 0) return;
  let position = 0;
  for (const element of patch) {
    if (isJsonObject(element) && directive in element) continue;
    const id = identity(element, key);
    while (position < order.length && identity(order[position], key) !== id) position += 1;
    if (position === order.length) {
      throw malformedPatch(
        `The order in patch list:\n${JSON.stringify(patch)}\n doesn't match $setElementOrder list:\n${JSON.stringify(order)}\n`,
      );
    }
    position += 1;
  }
}

/**
 * Elements named by `order` in that order; the others keep their place relative to the live list: one goes before the
 * next ordered element when it came before that element there.
 */
function enforceOrder(list: unknown[], order: unknown[], live: unknown[], key: string): unknown[] {
  const rank = new Map(order.map((item, index) => [identity(item, key), index]));
  const liveRank = new Map<unknown, number>();
  for (const [index, item] of live.entries()) {
    const id = identity(item, key);
    if (!liveRank.has(id)) liveRank.set(id, index);
  }
  const ordered = list
    .filter((item) => rank.has(identity(item, key)))
    .sort((a, b) => rank.get(identity(a, key))! - rank.get(identity(b, key))!);
  const others = list.filter((item) => !rank.has(identity(item, key)));
  const result: unknown[] = [];
  let next = 0;
  for (const item of ordered) {
    const place = liveRank.get(identity(item, key)) ?? -1;
    while (next < others.length) {
      const otherPlace = liveRank.get(identity(others[next], key)) ?? Number.POSITIVE_INFINITY;
      if (otherPlace > place) break;
      result.push(others[next]);
      next += 1;
    }
    result.push(item);
  }
  return [...result, ...others.slice(next)];
}

/**
 * Answers the patched document. Throws PATCH_MALFORMED (the patch is not well formed), PATCH_FAILED (it does not fit)
 * or SCHEMA_UNKNOWN.
 */
export function applyStrategicMergePatch(document: unknown, patch: unknown, schemaName: string): unknown {
  if (!isJsonObject(document) || !isJsonObject(patch)) throw malformedPatch('invalid JSON document');
  return mergeMap(document, patch, schemaOf(schemaName));
}

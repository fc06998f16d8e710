// JSON patch (RFC 6902) with the error wording of the implementation upstream uses.

import type { JsonObject } from './json-value';
import { failedPatch, isJsonObject, jsonEqual, malformedPatch } from './json-value';

export interface JsonPatchOperation {
  op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test';
  path: string;
  from?: string;
  value?: unknown;
}

type Container = JsonObject | unknown[];

interface Target {
  parent: Container;
  key: string;
}

const operationLimit = 10_000;
const operations: ReadonlySet<string> = new Set(['add', 'remove', 'replace', 'move', 'copy', 'test']);

function splitPointer(pointer: string): string[] {
  return pointer
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function child(parent: Container, key: string): unknown {
  if (!Array.isArray(parent)) return Object.hasOwn(parent, key) ? parent[key] : undefined;
  return /^(0|[1-9]\d*)$/.test(key) ? parent[Number(key)] : undefined;
}

function isContainer(value: unknown): value is Container {
  return Array.isArray(value) || isJsonObject(value);
}

class PatchRun {
  constructor(private root: unknown) {}

  get result(): unknown {
    return this.root;
  }

  apply(operation: JsonPatchOperation): void {
    const { op, path } = operation;
    if (path === '') return this.applyToRoot(operation);
    switch (op) {
      case 'add':
        return this.add(path, structuredClone(operation.value));
      case 'remove':
        this.remove(path, 'remove');
        return;
      case 'replace':
        return this.replace(path, structuredClone(operation.value));
      case 'move':
        return this.add(path, this.remove(operation.from!, 'move'));
      case 'copy':
        return this.add(path, structuredClone(this.read(operation.from!, 'copy')));
      case 'test':
        return this.test(path, operation.value);
    }
  }

  private applyToRoot(operation: JsonPatchOperation): void {
    switch (operation.op) {
      case 'add':
      case 'replace':
        this.root = structuredClone(operation.value);
        return;
      case 'test':
        if (!jsonEqual(this.root, operation.value)) throw failedPatch('testing value  failed: test failed');
        return;
      case 'copy':
      case 'move':
        this.root = structuredClone(this.read(operation.from!, operation.op));
        return;
      case 'remove':
        throw failedPatch('remove operation does not apply: doc is missing path: "": missing value');
    }
  }

  private target(pointer: string, op: string): Target {
    const parts = splitPointer(pointer);
    const key = parts.pop()!;
    let parent: unknown = this.root;
    for (const part of parts) parent = isContainer(parent) ? child(parent, part) : undefined;
    if (!isContainer(parent)) {
      throw failedPatch(`${op} operation does not apply: doc is missing path: "${pointer}": missing value`);
    }
    return { parent, key };
  }

  private read(pointer: string, op: string): unknown {
    if (pointer === '') return this.root;
    const { parent, key } = this.target(pointer, op);
    const value = child(parent, key);
    if (value === undefined) {
      throw failedPatch(`${op} operation does not apply: doc is missing from path: "${pointer}": missing value`);
    }
    return value;
  }

  private add(pointer: string, value: unknown): void {
    if (pointer === '') {
      this.root = value;
      return;
    }
    const { parent, key } = this.target(pointer, 'add');
    if (!Array.isArray(parent)) parent[key] = value;
    else if (key === '-') parent.push(value);
    else parent.splice(this.index(parent, key, parent.length), 0, value);
  }

  private remove(pointer: string, op: string): unknown {
    const { parent, key } = this.target(pointer, op);
    if (Array.isArray(parent)) return parent.splice(this.index(parent, key, parent.length - 1), 1)[0];
    if (!Object.hasOwn(parent, key)) {
      throw failedPatch(`${op} operation does not apply: doc is missing path: "${pointer}": missing value`);
    }
    const value = parent[key];
    delete parent[key];
    return value;
  }

  private replace(pointer: string, value: unknown): void {
    const { parent, key } = this.target(pointer, 'replace');
    if (Array.isArray(parent)) parent[this.index(parent, key, parent.length - 1)] = value;
    else if (!Object.hasOwn(parent, key)) {
      throw failedPatch(`replace operation does not apply: doc is missing key: ${pointer}: missing value`);
    } else parent[key] = value;
  }

  private test(pointer: string, expected: unknown): void {
    const { parent, key } = this.target(pointer, 'test');
    if (!jsonEqual(child(parent, key) ?? null, expected ?? null)) {
      throw failedPatch(`testing value ${pointer} failed: test failed`);
    }
  }

  private index(list: unknown[], key: string, last: number): number {
    if (!/^-?\d+$/.test(key)) throw failedPatch(`strconv.Atoi: parsing "${key}": invalid syntax`);
    const index = Number(key) < 0 ? Number(key) + list.length : Number(key);
    if (index < 0 || index > last) {
      throw failedPatch(`Unable to access invalid index: ${key}: invalid index referenced`);
    }
    return index;
  }
}

/** Checks the shape of a JSON patch. Throws PATCH_MALFORMED. */
export function parseJsonPatch(patch: unknown): JsonPatchOperation[] {
  if (!Array.isArray(patch)) {
    throw malformedPatch('json: cannot unmarshal object into Go value of type jsonpatch.Patch');
  }
  if (patch.length > operationLimit) {
    throw malformedPatch(`The allowed maximum operations in a JSON patch is ${operationLimit}, got ${patch.length}`);
  }
  return patch.map((item: unknown) => {
    if (!isJsonObject(item) || typeof item.op !== 'string' || !operations.has(item.op)) {
      const kind = isJsonObject(item) ? String(item.op ?? 'unknown') : 'unknown';
      throw malformedPatch(`Unexpected kind: ${kind}`);
    }
    for (const field of item.op === 'move' || item.op === 'copy' ? ['path', 'from'] : ['path']) {
      const pointer = item[field];
      if (typeof pointer !== 'string' || (pointer !== '' && !pointer.startsWith('/'))) {
        throw malformedPatch(`${item.op} operation needs a JSON pointer in "${field}"`);
      }
    }
    return item as unknown as JsonPatchOperation;
  });
}

/** Answers the patched value; the document is not changed. Throws PATCH_MALFORMED or PATCH_FAILED. */
export function applyJsonPatch(document: unknown, patch: unknown): unknown {
  const run = new PatchRun(structuredClone(document));
  for (const operation of parseJsonPatch(patch)) run.apply(operation);
  return run.result;
}

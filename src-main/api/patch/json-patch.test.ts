import { describe, expect, it } from 'vitest';
import { applyJsonPatch } from './json-patch';

const document = { a: 1, list: [1, 2, 3], 'x/y': { '~': true }, nested: { value: null } };

describe('operations', () => {
  it.each([
    ['add a member', [{ op: 'add', path: '/b', value: 2 }], { ...document, b: 2 }],
    ['replace by add', [{ op: 'add', path: '/a', value: 2 }], { ...document, a: 2 }],
    ['insert', [{ op: 'add', path: '/list/1', value: 9 }], { ...document, list: [1, 9, 2, 3] }],
    ['append', [{ op: 'add', path: '/list/-', value: 9 }], { ...document, list: [1, 2, 3, 9] }],
    ['append by index', [{ op: 'add', path: '/list/3', value: 9 }], { ...document, list: [1, 2, 3, 9] }],
    ['remove from a list', [{ op: 'remove', path: '/list/0' }], { ...document, list: [2, 3] }],
    ['remove from the end', [{ op: 'remove', path: '/list/-1' }], { ...document, list: [1, 2] }],
    ['replace', [{ op: 'replace', path: '/list/2', value: 0 }], { ...document, list: [1, 2, 0] }],
    ['escaped pointers', [{ op: 'replace', path: '/x~1y/~0', value: false }], { ...document, 'x/y': { '~': false } }],
    ['move', [{ op: 'move', from: '/list/0', path: '/list/-' }], { ...document, list: [2, 3, 1] }],
    ['copy', [{ op: 'copy', from: '/list', path: '/more' }], { ...document, more: [1, 2, 3] }],
    [
      'test and add',
      [
        { op: 'test', path: '/list', value: [1, 2, 3] },
        { op: 'add', path: '/b', value: 1 },
      ],
      { ...document, b: 1 },
    ],
    ['test null against absent', [{ op: 'test', path: '/none', value: null }], document],
    ['the whole document', [{ op: 'replace', path: '', value: { z: 1 } }], { z: 1 }],
  ])('%s', (_title, patch, expected) => {
    const before = structuredClone(document);
    expect(applyJsonPatch(document, patch)).toEqual(expected);
    expect(document).toEqual(before);
  });
});

describe('refusals', () => {
  it.each([
    [
      'PATCH_FAILED',
      [{ op: 'remove', path: '/none' }],
      'remove operation does not apply: doc is missing path: "/none": missing value',
    ],
    [
      'PATCH_FAILED',
      [{ op: 'add', path: '/none/b', value: 1 }],
      'add operation does not apply: doc is missing path: "/none/b": missing value',
    ],
    [
      'PATCH_FAILED',
      [{ op: 'replace', path: '/none', value: 1 }],
      'replace operation does not apply: doc is missing key: /none: missing value',
    ],
    ['PATCH_FAILED', [{ op: 'test', path: '/a', value: 2 }], 'testing value /a failed: test failed'],
    [
      'PATCH_FAILED',
      [{ op: 'add', path: '/list/9', value: 2 }],
      'Unable to access invalid index: 9: invalid index referenced',
    ],
    [
      'PATCH_FAILED',
      [{ op: 'remove', path: '/list/3' }],
      'Unable to access invalid index: 3: invalid index referenced',
    ],
    ['PATCH_MALFORMED', { op: 'add' }, 'json: cannot unmarshal object into Go value of type jsonpatch.Patch'],
    ['PATCH_MALFORMED', [{ op: 'jump', path: '/a' }], 'Unexpected kind: jump'],
    ['PATCH_MALFORMED', [{ op: 'move', path: '/a' }], 'move operation needs a JSON pointer in "from"'],
    ['PATCH_MALFORMED', [{ op: 'add', path: 'a', value: 1 }], 'add operation needs a JSON pointer in "path"'],
  ])('%s %j', (code, patch, message) => {
    expect(() => applyJsonPatch(document, patch)).toThrow(expect.objectContaining({ code, message }));
  });
});

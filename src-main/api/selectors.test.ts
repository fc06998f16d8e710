import { describe, expect, it } from 'vitest';
import {
  formatLabels,
  formatLabelSelector,
  formatRequirement,
  labelMapMatcher,
  labelSelectorMatcher,
  labelSelectorText,
  matchesFields,
  matchesLabels,
  parseFieldSelector,
  parseLabelSelector,
} from './selectors';

const labels = { app: 'web', tier: 'front', 'example.com/rank': '7' };

describe('label selectors', () => {
  it.each([
    ['', true],
    ['app=web', true],
    ['app==web', true],
    ['app = web , tier=front', true],
    ['app!=web', false],
    ['missing!=x', true],
    ['app in (web,api)', true],
    ['app in (api)', false],
    ['app notin (api, db)', true],
    ['missing notin (x)', true],
    ['app', true],
    ['!app', false],
    ['!missing', true],
    ['example.com/rank>5', true],
    ['example.com/rank<5', false],
    ['app=web,tier in (back,front),!missing', true],
    ['app=', false],
  ])('%j', (text, matches) => {
    expect(matchesLabels(parseLabelSelector(text), labels)).toBe(matches);
  });

  it.each(['a b', 'a=b=c', 'x in web', 'a,,b', 'a in (b', '=x', 'a>b', 'bad key!=1', 'a/b/c=d', 'a=-x'])(
    'refuses %j',
    (text) => {
      expect(() => parseLabelSelector(text)).toThrow(/unable to parse requirement/);
    },
  );

  it.each(['a=b', 'a!=b', 'a in (b,c)', 'a notin (b)', 'a', '!a', 'a>1', 'a<1'])('prints %j as it was', (text) => {
    expect(parseLabelSelector(text).map(formatRequirement)).toEqual([text]);
  });
});

describe('LabelSelector objects', () => {
  const selector = {
    matchLabels: { tier: 'front' },
    matchExpressions: [
      { key: 'app', operator: 'In', values: ['web', 'api'] },
      { key: 'gone', operator: 'DoesNotExist' },
    ],
  };
  it('prints sorted by key', () => {
    expect(formatLabelSelector(selector)).toBe('app in (api,web),!gone,tier=front');
    expect(formatLabelSelector({})).toBe('<none>');
    expect(labelSelectorText(undefined)).toBe('');
  });

  it('matches nothing when absent and everything when empty', () => {
    expect(labelSelectorMatcher(selector)(labels)).toBe(true);
    expect(labelSelectorMatcher(undefined)(labels)).toBe(false);
    expect(labelSelectorMatcher({})(undefined)).toBe(true);
    expect(() => labelSelectorMatcher({ matchExpressions: [{ key: 'a', operator: 'Near' }] })).toThrow(/not a valid/);
  });

  it('does not take inherited members for labels', () => {
    expect(labelSelectorMatcher({ matchExpressions: [{ key: 'constructor', operator: 'Exists' }] })({})).toBe(false);
  });
});

it('plain maps match nothing when empty', () => {
  expect(labelMapMatcher({})(labels)).toBe(false);
  expect(labelMapMatcher({ app: 'web' })(labels)).toBe(true);
  expect(formatLabels({ b: '2', a: '1' })).toBe('a=1,b=2');
});

describe('field selectors', () => {
  const valueOf = (field: string): string | undefined => ({ 'status.phase': 'Running', 'spec.nodeName': '' })[field];
  it.each([
    ['', true],
    ['status.phase=Running', true],
    ['status.phase==Running,spec.nodeName=', true],
    ['status.phase!=Running', false],
    ['spec.nodeName!=a', true],
  ])('%j', (text, matches) => {
    expect(matchesFields(parseFieldSelector(text), valueOf)).toBe(matches);
  });

  it('unescapes values', () => {
    expect(parseFieldSelector(String.raw`a=b\,c\=d`)).toEqual([{ field: 'a', operator: '=', value: 'b,c=d' }]);
  });

  it('refuses text without an operator', () =>
    expect(() => parseFieldSelector('abc')).toThrow(/can't understand 'abc'/));
});

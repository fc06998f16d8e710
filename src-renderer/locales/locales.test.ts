import { describe, expect, it } from 'vitest';
import { en } from './en';
import { i18n, setLanguage } from './index';
import { zhCN } from './zh-CN';

type Tree = { readonly [key: string]: string | Tree };

function flatten(tree: Tree, prefix = ''): Map<string, string> {
  const flat = new Map<string, string>();
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === 'string') flat.set(prefix + key, value);
    else for (const [inner, text] of flatten(value, `${prefix}${key}.`)) flat.set(inner, text);
  }
  return flat;
}
const english = flatten(en);
const chinese = flatten(zhCN);
const placeholders = (text: string) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();

const sources = import.meta.glob<string>(['../**/*.vue', '../**/*.ts', '!../**/*.test.ts', '!../locales/**'], {
  query: '?raw',
  import: 'default',
  eager: true,
});

describe('texts', () => {
  it('exist in both languages under the same keys', () => {
    expect([...chinese.keys()].sort()).toEqual([...english.keys()].sort());
  });

  it('name the same placeholders in both languages', () => {
    for (const [key, text] of english)
      expect([key, placeholders(chinese.get(key)!)]).toEqual([key, placeholders(text)]);
  });

  it('compile in both languages', () => {
    const errors: unknown[] = [];
    for (const language of ['en', 'zh-CN'] as const) {
      setLanguage(language);
      for (const key of english.keys()) {
        const text = i18n.global.t(key, { count: 2 });
        if (text === key) errors.push(key);
      }
    }
    setLanguage('en');
    expect(errors).toEqual([]);
  });

  it('exist for every key the window asks for', () => {
    const missing: string[] = [];
    for (const [file, source] of Object.entries(sources)) {
      for (const [, key] of source.matchAll(/(?<![\w.])t\(\s*'([\w.-]+)'/g)) {
        if (!english.has(key!)) missing.push(`${file}: ${key}`);
      }
    }
    expect(missing).toEqual([]);
  });
});

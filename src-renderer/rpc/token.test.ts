import { describe, expect, it } from 'vitest';
import { takeToken } from './token';

function environment(search: string, stored?: string) {
  const kept = new Map<string, string>(stored ? [['pilothouse.token', stored]] : []);
  const replaced: string[] = [];
  return {
    kept,
    replaced,
    location: { search, pathname: '/', hash: '#/clusters' },
    history: {
      state: null,
      replaceState: (_: unknown, __: string, url?: string | URL | null) => replaced.push(`${url}`),
    },
    storage: {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
    },
  };
}

describe('takeToken', () => {
  it('keeps the token for the tab and removes it from the address, leaving the rest', () => {
    const env = environment('?token=secret&x=1');
    expect(takeToken(env)).toBe('secret');
    expect(env.kept.get('pilothouse.token')).toBe('secret');
    expect(env.replaced).toEqual(['/?x=1#/clusters']);
  });

  it('uses the kept token after a reload', () => {
    const env = environment('', 'kept');
    expect(takeToken(env)).toBe('kept');
    expect(env.replaced).toEqual([]);
  });

  it('answers undefined when there never was one', () => {
    expect(takeToken(environment(''))).toBeUndefined();
  });
});

import { describe, expect, it } from 'vitest';
import { readPreferences } from './preferences';

describe('readPreferences', () => {
  it('follows the system and the browser at first', () => {
    expect(readPreferences(null, ['zh-TW', 'en'])).toMatchObject({ theme: 'system', language: 'zh-CN' });
    expect(readPreferences(null, ['de'])).toMatchObject({ theme: 'system', language: 'en' });
  });

  it('keeps what it understands and ignores the rest', () => {
    const text = JSON.stringify({ theme: 'dark', language: 'xx', lastCluster: 5, namespaces: { dev: 'web' } });
    expect(readPreferences(text, [])).toEqual({
      theme: 'dark',
      language: 'en',
      lastCluster: '',
      namespaces: { dev: 'web' },
    });
  });

  it('survives text that is not JSON', () => {
    expect(readPreferences('{', [])).toMatchObject({ theme: 'system' });
    expect(readPreferences('null', [])).toMatchObject({ theme: 'system' });
  });
});

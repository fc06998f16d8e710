// Choices of the person at this window, kept in local storage: theme, language, last cluster, namespace per cluster.

import { defineStore } from 'pinia';
import { computed, ref, shallowRef, watch, watchEffect } from 'vue';
import { type Language, languages, setLanguage } from '../locales';

export const themes = ['system', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];
const storageKey = 'pilothouse.preferences';

interface Stored {
  theme: Theme;
  language: Language;
  lastCluster: string;
  namespaces: Record<string, string>;
}

/** Reads what was stored, ignoring whatever is not understood (an older or newer version wrote it). */
export function readPreferences(text: string | null, browserLanguages: readonly string[]): Stored {
  const chinese = browserLanguages[0]?.toLowerCase().startsWith('zh') ?? false;
  const fallback: Stored = { theme: 'system', language: chinese ? 'zh-CN' : 'en', lastCluster: '', namespaces: {} };
  let stored: Partial<Stored>;
  try {
    stored = (JSON.parse(text ?? '{}') ?? {}) as Partial<Stored>;
  } catch (error) {
    if (error instanceof SyntaxError) return fallback;
    throw error;
  }
  return {
    theme: themes.find((theme) => theme === stored.theme) ?? fallback.theme,
    language: languages.find((language) => language === stored.language) ?? fallback.language,
    lastCluster: typeof stored.lastCluster === 'string' ? stored.lastCluster : '',
    namespaces: stored.namespaces && typeof stored.namespaces === 'object' ? stored.namespaces : {},
  };
}

export const usePreferences = defineStore('preferences', () => {
  const stored = readPreferences(localStorage.getItem(storageKey), navigator.languages);
  const theme = ref(stored.theme);
  const language = ref(stored.language);
  const lastCluster = ref(stored.lastCluster);
  const namespaces = ref(stored.namespaces);

  const systemDark = window.matchMedia('(prefers-color-scheme: dark)');
  const prefersDark = shallowRef(systemDark.matches);
  systemDark.addEventListener('change', (event) => {
    prefersDark.value = event.matches;
  });
  const dark = computed(() => theme.value === 'dark' || (theme.value === 'system' && prefersDark.value));

  watchEffect(() => {
    document.documentElement.dataset.theme = dark.value ? 'dark' : 'light';
  });
  watchEffect(() => {
    document.documentElement.lang = language.value;
    setLanguage(language.value);
  });
  watch(
    [theme, language, lastCluster, namespaces],
    () => {
      const kept: Stored = {
        theme: theme.value,
        language: language.value,
        lastCluster: lastCluster.value,
        namespaces: namespaces.value,
      };
      localStorage.setItem(storageKey, JSON.stringify(kept));
    },
    { deep: true },
  );

  return { theme, language, lastCluster, namespaces, dark };
});

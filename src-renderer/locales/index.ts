// All texts of the window. English is the source: its shape is the type every other language must satisfy, so a missing
// or surplus key fails the type check. Messages are interpreted (no code is generated from them: the CSP forbids it).

import { createI18n } from 'vue-i18n';
import { en } from './en';
import { zhCN } from './zh-CN';

export const languages = ['en', 'zh-CN'] as const;
export type Language = (typeof languages)[number];
export const languageNames: Record<Language, string> = { en: 'English', 'zh-CN': '简体中文' };

const dateTime = {
  short: { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' },
  long: { dateStyle: 'medium', timeStyle: 'medium' },
} as const;

export const i18n = createI18n({
  legacy: false,
  locale: 'en',
  fallbackLocale: 'en',
  messages: { en, 'zh-CN': zhCN },
  datetimeFormats: { en: dateTime, 'zh-CN': dateTime },
});

export function setLanguage(language: Language): void {
  i18n.global.locale.value = language;
}

// Composition root of the window.

import { createPinia } from 'pinia';
import { createApp } from 'vue';
import { z } from 'zod';
import { messageOf } from '../../src-main/kit/error';
import { i18n } from '../locales';
import { useClusters, usePreferences, useToasts } from '../stores';
import AppFrame from './AppFrame.vue';
import { router } from './routes';

export function startApp(): void {
  // The content security policy forbids generated code; without this zod would try it and leave a violation report.
  z.config({ jitless: true });
  const app = createApp(AppFrame);
  app.use(createPinia());
  app.use(i18n);
  app.use(router);
  usePreferences();
  useClusters().start();
  app.config.errorHandler = (error) => {
    console.error(error);
    useToasts().show({ tone: 'bad', title: messageOf(error) });
  };
  app.mount('#app');
}

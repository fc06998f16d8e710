// The Electron shell: a window on the same host as everywhere else. It owns no logic: services, the control planes and
// the command line's access come from the shared host; here are only the window, its locks, and the end of the program.

import { join } from 'node:path';
import { app, BrowserWindow, dialog, ipcMain, protocol, session } from 'electron';
import { messageOf } from '../../kit';
import { findApplication } from '../application';
import { type HeadlessHost, runHeadlessHost } from '../headless/run';
import { serveIpc } from './ipc-transport';
import { answerPage, pageOrigin, pageScheme } from './page-protocol';
import { createUtilityLauncher } from './utility-launcher';

const application = findApplication(import.meta.dirname);
const running: { host?: HeadlessHost; stopIpc?: () => void; ending?: boolean } = {};

protocol.registerSchemesAsPrivileged([
  { scheme: pageScheme, privileges: { standard: true, secure: true, supportFetchAPI: true } },
]);

if (app.requestSingleInstanceLock()) {
  app.on('second-instance', () => showWindow());
  app.on('activate', () => showWindow());
  // Clusters go on while no window is open; the program ends by its menu, a signal, or `pilothouse host stop`.
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit();
  });
  app.on('before-quit', (event) => {
    if (!running.host) return;
    event.preventDefault();
    void end();
  });
  app.on('web-contents-created', (_event, contents) => {
    contents.setWindowOpenHandler(() => ({ action: 'deny' }));
    contents.on('will-navigate', (event) => event.preventDefault());
    contents.on('will-attach-webview', (event) => event.preventDefault());
  });
  process.on('SIGTERM', () => app.quit());
  process.on('SIGINT', () => app.quit());
  app.whenReady().then(start, fail);
} else {
  app.quit();
}

async function start(): Promise<void> {
  try {
    protocol.handle(pageScheme, (request) => answerPage(application.renderer, request.url));
    session.defaultSession.setPermissionRequestHandler((_contents, _permission, answer) => answer(false));
    const host = await runHeadlessHost({
      application,
      shell: 'desktop',
      launchControlPlane: createUtilityLauncher(application.entries.controlPlane),
      onShutdown: () => setTimeout(() => app.quit(), 200),
    });
    running.host = host;
    running.stopIpc = serveIpc({ ipc: ipcMain, services: host.services, pageOrigin, logger: host.logger });
    showWindow();
  } catch (error) {
    fail(error);
  }
}

function showWindow(): void {
  const [present] = BrowserWindow.getAllWindows();
  if (present) {
    if (present.isMinimized()) present.restore();
    present.focus();
    return;
  }
  if (!running.host) return;
  const window = new BrowserWindow({
    width: 1280,
    height: 820,
    minWidth: 720,
    minHeight: 480,
    show: false,
    title: 'Pilothouse',
    webPreferences: {
      preload: join(application.root, 'out', 'preload', 'preload.cjs'),
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      webviewTag: false,
      spellcheck: false,
    },
  });
  window.removeMenu();
  window.once('ready-to-show', () => window.show());
  window.loadURL(pageOrigin).catch(fail);
}

/** Clusters are stopped gracefully, then the program ends. */
async function end(): Promise<void> {
  if (running.ending) return;
  running.ending = true;
  try {
    running.stopIpc?.();
    await running.host?.stop();
    app.exit(0);
  } catch (error) {
    console.error(messageOf(error));
    app.exit(1);
  }
}

function fail(error: unknown): void {
  dialog.showErrorBox('Pilothouse', messageOf(error));
  app.exit(1);
}

export * from './async-queue';
export * from './backoff';
export * from './clock';
export * from './deadline';
export * from './disposable';
export * from './error';
export * from './logger';

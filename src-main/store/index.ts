export * from './external';
export * from './open';
export * from './quota';
export * from './snapshot';
export * from './store';
export * from './store-error';

export * from './external';
export * from './open';
export * from './store';
export * from './store-error';

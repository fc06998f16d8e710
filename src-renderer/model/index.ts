export * from './cluster';
export * from './deployment';
export * from './event';
export * from './node';
export * from './pod';
export * from './tone';

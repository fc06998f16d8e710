export * from './apps/types';
export * from './coordination/types';
export * from './core/types';
export * from './discovery/types';
export * from './field-error';
export * from './kind';
export * from './meta';
export * from './resources';

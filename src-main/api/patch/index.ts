export * from './json-patch';
export * from './json-value';
export * from './merge-patch';
export * from './strategic-merge-patch';

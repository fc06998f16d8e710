export * from './clusters';
export * from './host';
export * from './preferences';
export * from './resource';
export * from './toasts';

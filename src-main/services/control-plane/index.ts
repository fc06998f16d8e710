export * from './fork-launcher';
export * from './protocol';
export * from './supervisor';

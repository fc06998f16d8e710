export * from './duration';
export * from './now';
export * from './quantity';

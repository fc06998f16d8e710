export { controllers } from './registry';
export * from './start-controllers';
export { builtInKinds } from './kinds';
export type { ServedKind } from './engine';

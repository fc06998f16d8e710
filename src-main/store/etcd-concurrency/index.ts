export type { ConcurrencyOptions } from './handler';
export * from './election-service';
export * from './lock-service';

export type { Decision, NodeVerdict } from './framework';
export * from './start-scheduler';

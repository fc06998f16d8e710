export * from './agent-configuration';
export * from './payload';
export * from './units';

export * from './atomic-file';
export * from './home';
export * from './instance-lock';
export * from './ports';

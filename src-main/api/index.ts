export * from './field-error';
export * from './kind';
export * from './meta';

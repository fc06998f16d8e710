export * from './extension';
export * from './grpc-error';
export * from './protocol';
export * from './server';

export * from './grpc-error';
export * from './protocol';

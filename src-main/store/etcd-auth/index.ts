export * from './auth-service';
export * from './auth-store';
export * from './authorizer';

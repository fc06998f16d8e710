export * from './controller';
export * from './expectations';
export * from './informer-set';
export * from './runner';

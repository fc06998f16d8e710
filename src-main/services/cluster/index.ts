export * from './cluster';
export * from './cluster-service';
export * from './environment';
export * from './record';
export * from './usage';

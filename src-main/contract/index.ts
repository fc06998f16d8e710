export * from './cluster';
export * from './host';
export * from './kube';
export * from './router';
export * from './services';
export * from './transport';

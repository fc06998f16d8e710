export * from './certificate';
export * from './cluster-pki';

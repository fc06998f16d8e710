export * from './kubeconfig';
export * from './merge';

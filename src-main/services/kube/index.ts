export * from './errors';
export * from './kube-service';
export * from './log-stream';
export * from './watch-stream';

// The etcd whose API this endpoint speaks. Clients choose features by it: the API server, for one, asks for progress
// notifications on demand only from 3.5.13 on.
export const etcdVersion = '3.5.21';
export const etcdClusterVersion = '3.5.0';

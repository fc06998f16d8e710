export type { ApiServer, ApiServerOptions, ServerCertificates } from './options';
export { startApiServer } from './server';
export type { DialAddress, NodeDialer } from './tunnel/node-dialer';
export { tunnelPath, tunnelProtocol } from './tunnel/upgrade';
export { kubernetesVersion } from './discovery/version';

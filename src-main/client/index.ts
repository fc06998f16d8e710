export * from './api-error';
export * from './client';
export * from './deep-freeze';
export * from './https-client';
export type { RawRequest, RawResponse, TransportOptions } from './https-transport';
export * from './kubeconfig';
export { nameOf, objectKey, queryString, resourcePath, splitKey } from './resource-path';

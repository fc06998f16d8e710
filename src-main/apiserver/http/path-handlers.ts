// Requests that address no resource: discovery, OpenAPI, version, health, metrics. A table from path to document.

import type { Registry } from 'prom-client';
import { aggregatedVersion, type Discovery, type Document } from '../discovery/discovery';
import { versionInfo } from '../discovery/version';
import type { OpenApi } from '../openapi/openapi';
import { unknownPath } from '../status/errors';
import type { RequestContext } from './request-context';
import { writeReply } from './respond';

export interface PathHandlerOptions {
  discovery: Discovery;
  openApi: OpenApi;
  metrics: Registry;
  serverAddress: string;
  /** Undefined = ready; else why not. */
  notReady(): string | undefined;
}

const healthPaths = new Set(['/healthz', '/livez', '/readyz']);
/** Asked for with an `@` in it, which no MIME parser takes; upstream therefore answers with a dot. */
const protobufV2 = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';

export class PathHandler {
  constructor(private readonly options: PathHandlerOptions) {}

  async handle(context: RequestContext): Promise<void> {
    const { path } = context;
    if (path === '/' || path === '') return this.index(context);
    if (path === '/version' || path === '/version/') {
      return writeReply(context, { code: 200, body: JSON.stringify(versionInfo(), undefined, 2) });
    }
    const [, first = ''] = path.split('/');
    if (healthPaths.has(`/${first}`)) return this.health(context);
    if (path === '/metrics') return this.metrics(context);
    if (first === 'openapi') return this.openApi(context);
    if (first === 'api' || first === 'apis') return this.discovery(context);
    throw unknownPath();
  }

  private index(context: RequestContext): void {
    const paths = [
      '/api',
      '/api/v1',
      '/apis',
      '/healthz',
      '/livez',
      '/metrics',
      '/openapi/v2',
      '/openapi/v3',
      '/readyz',
      '/version',
    ];
    writeReply(context, { code: 200, body: JSON.stringify({ paths }) });
  }

  private health(context: RequestContext): void {
    const problem = context.path.startsWith('/readyz') ? this.options.notReady() : undefined;
    const contentType = 'text/plain; charset=utf-8';
    if (problem) return writeReply(context, { code: 500, body: `${problem}\n`, contentType });
    writeReply(context, { code: 200, body: 'ok', contentType });
  }

  private async metrics(context: RequestContext): Promise<void> {
    const { metrics } = this.options;
    writeReply(context, { code: 200, body: await metrics.metrics(), contentType: metrics.contentType });
  }

  private openApi(context: RequestContext): void {
    const { openApi } = this.options;
    const { path, query } = context;
    const accept = context.request.headers.accept ?? '';
    if (path === '/openapi/v2') {
      const protobuf = accept.includes('proto-openapi.spec.v2');
      const document = protobuf ? openApi.v2Protobuf() : openApi.v2Json();
      return writeDocument(context, document, protobuf ? protobufV2 : 'application/json');
    }
    if (path === '/openapi/v3' || path === '/openapi/v3/') return writeDocument(context, openApi.v3Index());
    const document = path.startsWith('/openapi/v3/') ? openApi.v3(path.slice('/openapi/v3/'.length)) : undefined;
    if (!document) throw unknownPath();
    const immutable: Record<string, string> = query.get('hash') ? { 'Cache-Control': 'public, immutable' } : {};
    writeDocument(context, document, 'application/json', immutable);
  }

  private discovery(context: RequestContext): void {
    const { discovery, serverAddress } = this.options;
    const segments = context.path.split('/').filter(Boolean);
    const accept = context.request.headers.accept;
    if (segments.length === 1) {
      const core = segments[0] === 'api';
      const version = aggregatedVersion(accept);
      if (version) {
        const type = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
        return writeDocument(context, discovery.aggregated(core, version), type);
      }
      return writeDocument(context, core ? discovery.legacyVersions(serverAddress) : discovery.groupList());
    }
    const document = discoveryOf(discovery, segments);
    if (!document) throw unknownPath();
    writeDocument(context, document);
  }
}

function discoveryOf(discovery: Discovery, segments: string[]): Document | undefined {
  const [root, first = '', second = ''] = segments;
  if (root === 'api') return segments.length === 2 ? discovery.resources('', first) : undefined;
  if (segments.length === 2) return discovery.group(first);
  return segments.length === 3 ? discovery.resources(first, second) : undefined;
}

function writeDocument(
  context: RequestContext,
  document: Document,
  contentType = 'application/json',
  extra: Readonly<Record<string, string>> = {},
): void {
  const headers = { ETag: document.etag, Vary: 'Accept', ...extra };
  if (context.request.headers['if-none-match'] === document.etag) {
    return writeReply(context, { code: 304, body: '', contentType, headers });
  }
  writeReply(context, { code: 200, body: document.body, contentType, headers });
}

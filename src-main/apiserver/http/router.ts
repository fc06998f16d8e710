// The way of every HTTP request: authenticate, find what is addressed, authorize, handle, answer errors as Status.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Logger, messageOf } from '../../kit';
import type { Authenticator } from '../authn/authenticator';
import { anonymousUser } from '../authn/user';
import { type Authorizer, pathRefusal } from '../authz/authorizer';
import type { Target } from '../registry/verbs';
import { toApiError } from '../status/errors';
import { handleLog, type LogDependencies } from '../subresources/log';
import type { ServerMetrics } from './metrics';
import { parseResourcePath } from './path';
import type { PathHandler } from './path-handlers';
import { flag, type RequestContext, splitUrl } from './request-context';
import type { ResourceHandler } from './resource-handler';
import { writeError } from './respond';

export interface RouterOptions {
  authenticator: Authenticator;
  authorizer: Authorizer;
  paths: PathHandler;
  resources: ResourceHandler;
  log: LogDependencies;
  metrics: ServerMetrics;
  logger: Logger;
  /** Aborted when the server stops. */
  stopping: AbortSignal;
}

const verbs: Readonly<Record<string, string>> = {
  GET: 'GET',
  HEAD: 'GET',
  POST: 'POST',
  PUT: 'PUT',
  PATCH: 'PATCH',
  DELETE: 'DELETE',
};

export class Router {
  constructor(private readonly options: RouterOptions) {}

  /** Serves one request; never throws. */
  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const started = process.hrtime.bigint();
    const { path, query } = splitUrl(request.url ?? '/');
    const context: RequestContext = {
      request,
      response,
      method: request.method ?? 'GET',
      path,
      query,
      user: anonymousUser,
      target: parseResourcePath(path),
      warnings: [],
      signal: this.options.stopping,
    };
    const { metrics, logger } = this.options;
    // A client that goes away while it is answered is no error of ours.
    response.on('error', (error) => logger.debug('response not delivered', { path, error: error.message }));
    metrics.inflight.inc();
    try {
      await this.dispatch(context);
    } catch (error) {
      const failure = toApiError(error);
      if (failure.statusCode >= 500) {
        logger.warn('request failed', {
          method: context.method,
          path,
          code: failure.statusCode,
          error: messageOf(error),
        });
      }
      if (response.headersSent) response.destroy();
      else {
        request.resume();
        writeError(context, failure);
      }
    } finally {
      metrics.inflight.dec();
      this.count(context, Number(process.hrtime.bigint() - started) / 1e9);
    }
  }

  private async dispatch(context: RequestContext): Promise<void> {
    const { authenticator, authorizer, paths, resources, log } = this.options;
    context.user = authenticator.authenticate(context.request);
    const { target } = context;
    if (!target) {
      const attributes = { user: context.user, verb: context.method.toLowerCase(), path: context.path };
      if (!authorizer.allowsPath(attributes)) throw pathRefusal(attributes);
      return paths.handle(context);
    }
    const address: Target = target;
    if (isLog(target) && context.method === 'GET') return handleLog(log, context, address);
    return resources.handle(context, address);
  }

  private count(context: RequestContext, seconds: number): void {
    const { target, method, query } = context;
    const longRunning = target !== undefined && (flag(query, 'watch') === true || isLog(target));
    const list = method === 'GET' && target !== undefined && !target.name;
    this.options.metrics.observe(
      {
        verb: flag(query, 'watch') ? 'WATCH' : list ? 'LIST' : (verbs[method] ?? 'other'),
        group: target?.group ?? '',
        version: target?.version ?? '',
        resource: target?.resource ?? '',
        subresource: target?.subresource.split('/')[0] ?? '',
        code: String(context.response.statusCode),
      },
      longRunning ? undefined : seconds,
    );
  }
}

function isLog(target: { group: string; resource: string; subresource: string }): boolean {
  return target.subresource === 'log' && target.resource === 'pods' && target.group === '';
}

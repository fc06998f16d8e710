// HTTP requests for resources: from method, path and query to a verb, and its answer in the form asked for.

import { randomInt } from 'node:crypto';
import type { KubeObject } from '../../api';
import { type Clock, systemClock } from '../../kit';
import type { Call, FieldValidation } from '../registry/call';
import type { Entry } from '../registry/codec';
import type { Deletion } from '../registry/deletion';
import type { ListAnswer } from '../registry/reader';
import type { Target, Verbs } from '../registry/verbs';
import { badRequest, methodNotAllowed } from '../status/errors';
import type { Answer } from '../subresources';
import { readObject, readOptionalObject, readPatch } from './body';
import { negotiate, type Representation } from './negotiation';
import { flag, parameter, type RequestContext } from './request-context';
import { writeJson } from './respond';
import { type IncludeObject, listBytes, type ListMeta, partialListText, partialText, tableText } from './table';
import { WatchEventEncoder, WatchStream } from './watch-stream';

const minWatchSeconds = 1800;
const fieldValidations = new Set(['Strict', 'Warn', 'Ignore']);

export class ResourceHandler {
  private readonly clock: Clock;
  private readonly encoder = new WatchEventEncoder();

  constructor(
    private readonly verbs: Verbs,
    options: { clock?: Clock } = {},
  ) {
    this.clock = options.clock ?? systemClock;
  }

  async handle(context: RequestContext, target: Target): Promise<void> {
    switch (context.method) {
      case 'GET':
      case 'HEAD':
        return this.read(context, target);
      case 'POST':
        return this.create(context, target);
      case 'PUT':
        return this.update(context, target);
      case 'PATCH':
        return this.patch(context, target);
      case 'DELETE':
        return target.name ? this.delete(context, target) : this.deleteCollection(context, target);
      default:
        throw methodNotAllowed(undefined, context.method);
    }
  }

  private async read(context: RequestContext, target: Target): Promise<void> {
    const { query } = context;
    const representation = negotiate(context.request.headers.accept);
    if (flag(query, 'watch')) return this.watch(context, target, representation);
    const call: Call = { user: context.user };
    if (target.name) {
      const answer = await this.verbs.get(target, { call, resourceVersion: parameter(query, 'resourceVersion') });
      return this.answer(context, target, answer, representation);
    }
    const answer = await this.verbs.list(target, { call, query: { ...listQuery(query), ...selectors(query) } });
    this.answerList(context, answer, representation);
  }

  private async watch(context: RequestContext, target: Target, representation: Representation): Promise<void> {
    const { query } = context;
    const single = target.name ? `metadata.name=${target.name}` : undefined;
    const fields = [single, parameter(query, 'fieldSelector')].filter(Boolean).join(',');
    const registry = this.verbs.open('watch', target, { user: context.user });
    const seconds = Number(parameter(query, 'timeoutSeconds') ?? 0);
    const timeoutSeconds = seconds > 0 ? seconds : minWatchSeconds + randomInt(minWatchSeconds);
    const includeObject = includeOf(query);
    const { clock, encoder } = this;
    const stream = new WatchStream({
      context,
      encoder,
      kind: registry.kind,
      representation,
      includeObject,
      timeoutSeconds,
      clock,
    });
    const watchQuery = {
      labelSelector: parameter(query, 'labelSelector'),
      fieldSelector: fields || undefined,
      resourceVersion: parameter(query, 'resourceVersion'),
      resourceVersionMatch: parameter(query, 'resourceVersionMatch'),
      sendInitialEvents: flag(query, 'sendInitialEvents'),
      allowBookmarks: flag(query, 'allowWatchBookmarks'),
    };
    await stream.open(() => this.verbs.watch(target, { call: { user: context.user }, query: watchQuery }, stream));
  }

  private async create(context: RequestContext, target: Target): Promise<void> {
    const representation = negotiate(context.request.headers.accept);
    const call = callOf(context);
    this.verbs.openCreate(target, call);
    const body = await readObject(context.request);
    this.answer(context, target, await this.verbs.create(target, { call, body }), representation);
  }

  private async update(context: RequestContext, target: Target): Promise<void> {
    const representation = negotiate(context.request.headers.accept);
    const call = callOf(context);
    this.verbs.open('update', target, call);
    const body = await readObject(context.request);
    const answer = await this.verbs.write('update', target, { call, change: { type: 'replace', body } });
    this.answer(context, target, answer, representation);
  }

  private async patch(context: RequestContext, target: Target): Promise<void> {
    const representation = negotiate(context.request.headers.accept);
    const call = callOf(context);
    this.verbs.open('patch', target, call);
    const patch = await readPatch(context.request);
    const answer = await this.verbs.write('patch', target, { call, change: { type: 'patch', patch } });
    this.answer(context, target, answer, representation);
  }

  private async delete(context: RequestContext, target: Target): Promise<void> {
    const representation = negotiate(context.request.headers.accept);
    const call = callOf(context);
    this.verbs.open('delete', target, call);
    const { deletion, dryRun } = await deletionOf(context);
    const answer = await this.verbs.delete(target, { call: { ...call, dryRun: call.dryRun || dryRun }, deletion });
    this.answer(context, target, answer, representation);
  }

  private async deleteCollection(context: RequestContext, target: Target): Promise<void> {
    const representation = negotiate(context.request.headers.accept);
    const call = callOf(context);
    this.verbs.open('deletecollection', target, call);
    const { deletion, dryRun } = await deletionOf(context);
    const query = { ...listQuery(context.query), ...selectors(context.query) };
    const answer = await this.verbs.deleteCollection(target, {
      call: { ...call, dryRun: call.dryRun || dryRun },
      query,
      deletion,
    });
    this.answerList(context, answer, representation);
  }

  private answer(context: RequestContext, target: Target, answer: Answer, representation: Representation): void {
    const { code = 200 } = answer;
    const { yaml, version } = representation;
    const registry = this.verbs.registries.find(target.group, target.version, target.resource);
    const printable = registry && answer.object.kind === registry.kind.kind && representation.form !== 'object';
    if (!printable) return writeJson(context, answer.bytes, { code, yaml });
    const entry: Entry = { key: '', revision: 0, object: answer.object, bytes: answer.bytes };
    if (representation.form === 'partial') return writeJson(context, partialText(entry, version), { code, yaml });
    const meta = { resourceVersion: answer.object.metadata.resourceVersion };
    const options = { kind: registry.kind, includeObject: includeOf(context.query), version, now: this.clock.now() };
    writeJson(context, tableText([entry], meta, options), { code, yaml });
  }

  private answerList(
    context: RequestContext,
    answer: ListAnswer & { kind: Parameters<typeof listBytes>[0] },
    representation: Representation,
  ): void {
    const { kind, entries } = answer;
    const { yaml, version } = representation;
    const meta: ListMeta = { resourceVersion: String(answer.revision) };
    if (answer.continue) meta.continue = answer.continue;
    if (answer.remaining !== undefined) meta.remainingItemCount = answer.remaining;
    if (representation.form === 'object') return writeJson(context, listBytes(kind, entries, meta), { yaml });
    if (representation.form === 'partial') return writeJson(context, partialListText(entries, meta, version), { yaml });
    const options = { kind, includeObject: includeOf(context.query), version, now: this.clock.now() };
    writeJson(context, tableText(entries, meta, options), { yaml });
  }
}

function includeOf(query: URLSearchParams): IncludeObject {
  const value = parameter(query, 'includeObject') ?? 'Metadata';
  if (value !== 'None' && value !== 'Metadata' && value !== 'Object') {
    throw badRequest(`unknown includeObject "${value}": supported values: "None", "Metadata", "Object"`);
  }
  return value;
}

function callOf(context: RequestContext): Call {
  const { query, user, warnings } = context;
  const dryRun = query.getAll('dryRun').filter(Boolean);
  if (dryRun.some((value) => value !== 'All')) {
    throw badRequest(`invalid dryRun "${dryRun.join(',')}": supported values: "All"`);
  }
  const validation = parameter(query, 'fieldValidation') ?? 'Warn';
  if (!fieldValidations.has(validation)) {
    throw badRequest(`invalid fieldValidation "${validation}": supported values: "Ignore", "Strict", "Warn"`);
  }
  return {
    user,
    dryRun: dryRun.length > 0,
    fieldValidation: validation as FieldValidation,
    warn: (message) => {
      warnings.push(message);
    },
  };
}

function listQuery(query: URLSearchParams) {
  const limit = parameter(query, 'limit');
  if (limit !== undefined && !/^\d+$/.test(limit)) throw badRequest(`invalid limit "${limit}": must be a whole number`);
  return {
    limit: limit === undefined ? undefined : Number(limit),
    continue: parameter(query, 'continue'),
    resourceVersion: parameter(query, 'resourceVersion'),
    resourceVersionMatch: parameter(query, 'resourceVersionMatch'),
  };
}

function selectors(query: URLSearchParams) {
  return { labelSelector: parameter(query, 'labelSelector'), fieldSelector: parameter(query, 'fieldSelector') };
}

/** DeleteOptions from the body, or from the query when there is none. */
async function deletionOf(context: RequestContext): Promise<{ deletion: Deletion; dryRun: boolean }> {
  const body = await readOptionalObject(context.request);
  if (body !== undefined) {
    if (typeof body !== 'object' || body === null || Array.isArray(body))
      throw badRequest('the body must be DeleteOptions');
    const options = body as Deletion & KubeObject & { dryRun?: string[] };
    if (options.kind && options.kind !== 'DeleteOptions') throw badRequest('the body must be DeleteOptions');
    return { deletion: options, dryRun: (options.dryRun ?? []).includes('All') };
  }
  const { query } = context;
  const grace = parameter(query, 'gracePeriodSeconds');
  if (grace !== undefined && !/^-?\d+$/.test(grace)) throw badRequest(`invalid gracePeriodSeconds "${grace}"`);
  const deletion: Deletion = {
    gracePeriodSeconds: grace === undefined ? undefined : Number(grace),
    propagationPolicy: parameter(query, 'propagationPolicy'),
    orphanDependents: flag(query, 'orphanDependents'),
  };
  return { deletion, dryRun: false };
}

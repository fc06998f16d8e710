// The verbs of the API for one authorized caller after another, whatever the transport: HTTP handlers and the
// in-process client both come through here, so authorization, admission and validation are the same for both.

import type { Kind, KubeObject } from '../../api';
import { refusal, type Authorizer } from '../authz/authorizer';
import { badRequest, methodNotAllowed, unknownPath } from '../status/errors';
import { type Answer, answerOf, type Change, nextState, subresourceOf } from '../subresources';
import { answerReview, reviewOf } from '../subresources/reviews';
import type { Call } from './call';
import type { Entry } from './codec';
import { decodeObject } from './decode';
import { type Deletion, deleteObject, deletionStatus } from './deletion';
import type { KindRegistry } from './kind-registry';
import type { ListAnswer, ListQuery } from './reader';
import type { Registries } from './registries';
import { parseSelection } from './selection';
import { type RunningWatch, startWatch, type WatchQuery, type WatchSink } from './watcher';

/** What a request addresses. Empty strings stand for absent parts. */
export interface Target {
  group: string;
  version: string;
  resource: string;
  namespace: string;
  name: string;
  subresource: string;
}

export interface Selectors {
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
}

const deletionAnswersObject = new Set(['/pods', '/services', '/serviceaccounts', '/persistentvolumes', '/namespaces']);

export class Verbs {
  constructor(
    readonly registries: Registries,
    private readonly authorizer: Authorizer,
  ) {}

  /** The registry of a target after authorization; 403 before 404, so that names stay hidden. */
  open(verb: string, target: Target, call: Call): KindRegistry {
    const { group, version, resource } = target;
    const registry = this.registries.find(group, version, resource);
    const attributes = { user: call.user, verb, ...target };
    if (!this.authorizer.allowsResource(attributes)) throw refusal(attributes);
    if (!registry) throw unknownPath();
    const { kind } = registry;
    if (kind.verbs && kind.verbs.length > 0 && target.subresource === '' && !kind.verbs.includes(verb)) {
      throw methodNotAllowed(kind, verb);
    }
    return registry;
  }

  /** Authorizes a creation before its body is read; answers the review when the address is one. */
  openCreate(target: Target, call: Call): ReturnType<typeof reviewOf> {
    const review = reviewOf(target);
    if (!review) {
      this.open('create', target, call);
      return undefined;
    }
    const attributes = { user: call.user, verb: 'create', ...target };
    if (!this.authorizer.allowsResource(attributes)) throw refusal(attributes);
    return review;
  }

  async get(target: Target, options: { call: Call; resourceVersion?: string | undefined }): Promise<Answer> {
    const { call, resourceVersion } = options;
    const registry = this.open('get', target, call);
    const namespace = this.namespaceOf(registry.kind, target);
    if (target.subresource === '') return registry.reader.get(namespace, target.name, resourceVersion);
    const subresource = this.subresource(registry.kind, target);
    if (!subresource.get) throw methodNotAllowed(registry.kind, 'get');
    return subresource.get({ registries: this.registries, registry, namespace, name: target.name, call });
  }

  async list(
    target: Target,
    options: { call: Call; query: Omit<ListQuery, 'namespace' | 'selection'> & Selectors },
  ): Promise<ListAnswer & { kind: Kind }> {
    const registry = this.open('list', target, options.call);
    const selection = parseSelection(registry.kind, options.query);
    const answer = await registry.reader.list({ ...options.query, namespace: target.namespace, selection });
    return { ...answer, kind: registry.kind };
  }

  async watch(
    target: Target,
    options: { call: Call; query: Omit<WatchQuery, 'namespace' | 'selection'> & Selectors },
    sink: WatchSink,
  ): Promise<RunningWatch> {
    const registry = this.open('watch', target, options.call);
    const selection = parseSelection(registry.kind, options.query);
    return startWatch(registry, { ...options.query, namespace: target.namespace, selection }, sink);
  }

  /** `body` is taken over and changed. */
  async create(target: Target, options: { call: Call; body: unknown; lenient?: boolean }): Promise<Answer> {
    const { call, body } = options;
    const review = this.openCreate(target, call);
    if (review) return answerReview(review, { body, call, authorizer: this.authorizer });
    const registry = this.open('create', target, call);
    const { kind } = registry;
    const namespace = this.namespaceOf(kind, target);
    if (target.subresource !== '') {
      const subresource = this.subresource(kind, target);
      if (!subresource.create) throw methodNotAllowed(kind, 'create');
      return subresource.create({ registries: this.registries, registry, namespace, name: target.name, call }, body);
    }
    if (target.name) throw methodNotAllowed(kind, 'create');
    const place = { namespace };
    const object = decodeObject(kind, body, { call, place, ...(options.lenient ? { lenient: true } : {}) });
    const { bytes, object: stored } = await registry.create(namespace, object, call);
    return { bytes, object: stored, code: 201 };
  }

  async write(
    verb: 'update' | 'patch',
    target: Target,
    options: { call: Call; change: Change; lenient?: boolean },
  ): Promise<Answer> {
    const { call, change } = options;
    const registry = this.open(verb, target, call);
    const { kind } = registry;
    const namespace = this.namespaceOf(kind, target);
    const { name } = target;
    if (!name) throw methodNotAllowed(kind, verb);
    if (target.subresource !== '') {
      const subresource = this.subresource(kind, target);
      if (!subresource.write) throw methodNotAllowed(kind, verb);
      return subresource.write({ registries: this.registries, registry, namespace, name, call }, change);
    }
    const lenient = options.lenient ?? change.type === 'patch';
    const transform = (current: Entry): KubeObject =>
      decodeObject(kind, nextState(change, current.bytes, { ...kind, name }), {
        call,
        place: { namespace, name },
        lenient,
      });
    return registry.modify({ namespace, name, transform }, call);
  }

  async delete(target: Target, options: { call: Call; deletion: Deletion }): Promise<Answer> {
    const { call, deletion } = options;
    const registry = this.open('delete', target, call);
    const { kind } = registry;
    if (target.subresource !== '') throw methodNotAllowed(kind, 'delete');
    const namespace = this.namespaceOf(kind, target);
    const result = await deleteObject(registry, { namespace, name: target.name, options: deletion }, call);
    if (!result.deleted || deletionAnswersObject.has(`${kind.group}/${kind.plural}`)) return result.entry;
    return answerOf(deletionStatus(kind, result.entry.object) as KubeObject);
  }

  /** Deletes all that is selected; answers them as they were listed. */
  async deleteCollection(
    target: Target,
    options: { call: Call; query: Omit<ListQuery, 'namespace' | 'selection'> & Selectors; deletion: Deletion },
  ): Promise<ListAnswer & { kind: Kind }> {
    const { call, query, deletion } = options;
    const registry = this.open('deletecollection', target, call);
    const { kind } = registry;
    this.namespaceOf(kind, target);
    const selection = parseSelection(kind, query);
    const answer = await registry.reader.list({ ...query, namespace: target.namespace, selection });
    for (const { object } of answer.entries) {
      const { namespace = '', name = '' } = object.metadata;
      const preconditions = deletion.preconditions ?? { uid: object.metadata.uid! };
      await this.tolerateGone(() =>
        deleteObject(registry, { namespace, name, options: { ...deletion, preconditions } }, call),
      );
    }
    return { ...answer, kind };
  }

  private async tolerateGone(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      // Someone else deleted it first, which is what was wanted.
      const { statusCode } = error as { statusCode?: number };
      if (statusCode !== 404 && statusCode !== 409) throw error;
    }
  }

  private subresource(kind: Kind, target: Target): NonNullable<ReturnType<typeof subresourceOf>> {
    const found = subresourceOf(kind, target.subresource);
    if (!found) throw unknownPath();
    return found;
  }

  /** The namespace objects of the kind are in; 400 for a namespaced kind addressed without one. */
  private namespaceOf(kind: Kind, target: Target): string {
    if (!kind.namespaced) return '';
    if (!target.namespace)
      throw badRequest('an empty namespace may not be set during creation, nor when an object is named');
    return target.namespace;
  }
}

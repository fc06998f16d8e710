// Discovery documents: which groups, versions and resources are served, in the old form (one document a version) and in
// the aggregated one. Made once, as the set of kinds is fixed for now.

import { createHash } from 'node:crypto';
import type { Kind } from '../../api';
import { streamSubresources, subresourcesOf } from '../subresources';

const allVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

export interface Document {
  body: Buffer;
  etag: string;
}

interface GroupVersions {
  group: string;
  versions: string[];
}

function verbsOf(kind: Kind): readonly string[] {
  return kind.verbs && kind.verbs.length > 0 ? kind.verbs : allVerbs;
}

function documentOf(value: unknown): Document {
  const body = Buffer.from(JSON.stringify(value), 'utf8');
  return { body, etag: `"${createHash('sha512').update(body).digest('hex').toUpperCase()}"` };
}

function streamsOf(kind: Kind): { name: string; verbs: readonly string[] }[] {
  const streams = streamSubresources[`${kind.group}/${kind.plural}`] ?? {};
  return Object.entries(streams).map(([name, verbs]) => ({ name, verbs }));
}

function groupVersion(group: string, version: string): string {
  return group ? `${group}/${version}` : version;
}

export class Discovery {
  private readonly groups: GroupVersions[] = [];
  private readonly cache = new Map<string, Document>();

  constructor(private readonly kinds: readonly Kind[]) {
    for (const { group, version } of kinds) {
      const known = this.groups.find((item) => item.group === group);
      if (!known) this.groups.push({ group, versions: [version] });
      else if (!known.versions.includes(version)) known.versions.push(version);
    }
  }

  /** /api */
  legacyVersions(serverAddress: string): Document {
    return this.cached(`versions ${serverAddress}`, () => ({
      kind: 'APIVersions',
      versions: ['v1'],
      serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
    }));
  }

  /** /apis */
  groupList(): Document {
    return this.cached('groups', () => ({
      kind: 'APIGroupList',
      apiVersion: 'v1',
      groups: this.groups.filter(({ group }) => group !== '').map((item) => this.groupOf(item)),
    }));
  }

  /** /apis/GROUP */
  group(name: string): Document | undefined {
    const found = this.groups.find(({ group }) => group === name && group !== '');
    if (!found) return undefined;
    return this.cached(`group ${name}`, () => ({ kind: 'APIGroup', apiVersion: 'v1', ...this.groupOf(found) }));
  }

  /** /api/v1 and /apis/GROUP/VERSION */
  resources(group: string, version: string): Document | undefined {
    const kinds = this.kinds.filter((kind) => kind.group === group && kind.version === version);
    if (kinds.length === 0) return undefined;
    return this.cached(`resources ${group}/${version}`, () => ({
      kind: 'APIResourceList',
      ...(group ? { apiVersion: 'v1' } : {}),
      groupVersion: groupVersion(group, version),
      resources: kinds.flatMap((kind) => this.resourcesOf(kind)),
    }));
  }

  /** /api and /apis in the aggregated form of apidiscovery.k8s.io. */
  aggregated(core: boolean, version: string): Document {
    return this.cached(`aggregated ${core} ${version}`, () => ({
      kind: 'APIGroupDiscoveryList',
      apiVersion: `apidiscovery.k8s.io/${version}`,
      metadata: {},
      items: this.groups
        .filter(({ group }) => (group === '') === core)
        .map(({ group, versions }) => ({
          metadata: { name: group, creationTimestamp: null },
          versions: versions.map((item) => ({
            version: item,
            resources: this.kinds
              .filter((kind) => kind.group === group && kind.version === item)
              .map((kind) => this.aggregatedResource(kind)),
            freshness: 'Current',
          })),
        })),
    }));
  }

  private groupOf({ group, versions }: GroupVersions) {
    const all = versions.map((version) => ({ groupVersion: groupVersion(group, version), version }));
    return { name: group, versions: all, preferredVersion: all[0] };
  }

  private resourcesOf(kind: Kind): Record<string, unknown>[] {
    const { namespaced, plural, singular, shortNames, categories } = kind;
    const main = {
      name: plural,
      singularName: singular,
      namespaced,
      kind: kind.kind,
      verbs: verbsOf(kind),
      ...(shortNames.length > 0 ? { shortNames } : {}),
      ...(categories.length > 0 ? { categories } : {}),
      storageVersionHash: createHash('sha256')
        .update(`${kind.group}/${kind.version}/${kind.kind}`)
        .digest('base64')
        .slice(0, 12),
    };
    const subresources = subresourcesOf(kind).map(({ name, subresource }) => {
      const body = subresource.bodyKind(kind);
      const foreign = body.group !== kind.group || body.version !== kind.version;
      return {
        name: `${plural}/${name}`,
        singularName: '',
        namespaced,
        ...(foreign ? { group: body.group, version: body.version } : {}),
        kind: body.kind,
        verbs: subresource.verbs,
      };
    });
    const streams = streamsOf(kind).map(({ name, verbs }) => ({
      name: `${plural}/${name}`,
      singularName: '',
      namespaced,
      kind: kind.kind,
      verbs,
    }));
    return [main, ...[...subresources, ...streams].sort((a, b) => (a.name < b.name ? -1 : 1))];
  }

  private aggregatedResource(kind: Kind): Record<string, unknown> {
    const { group, version, shortNames, categories } = kind;
    const own = { group, version, kind: kind.kind };
    const subresources = [
      ...subresourcesOf(kind).map(({ name, subresource }) => {
        const body = subresource.bodyKind(kind);
        const responseKind = { group: body.group, version: body.version, kind: body.kind };
        return { subresource: name, responseKind, verbs: subresource.verbs };
      }),
      ...streamsOf(kind).map(({ name, verbs }) => ({ subresource: name, responseKind: own, verbs })),
    ].sort((a, b) => (a.subresource < b.subresource ? -1 : 1));
    return {
      resource: kind.plural,
      responseKind: own,
      scope: kind.namespaced ? 'Namespaced' : 'Cluster',
      singularResource: kind.singular,
      verbs: verbsOf(kind),
      ...(shortNames.length > 0 ? { shortNames } : {}),
      ...(categories.length > 0 ? { categories } : {}),
      ...(subresources.length > 0 ? { subresources } : {}),
    };
  }

  private cached(key: string, make: () => unknown): Document {
    let document = this.cache.get(key);
    if (!document) {
      document = documentOf(make());
      this.cache.set(key, document);
    }
    return document;
  }
}

/** v2 or v2beta1 when the Accept header asks for aggregated discovery before anything else. */
export function aggregatedVersion(accept: string | undefined): string | undefined {
  for (const range of (accept ?? '').split(',')) {
    if (!range.includes('as=APIGroupDiscoveryList')) {
      if (range.trim().startsWith('application/json')) return undefined;
      continue;
    }
    const version = /(?:^|;)\s*v=(v2beta1|v2)(?:;|$)/.exec(range.trim());
    if (version && range.includes('application/json')) return version[1];
  }
  return undefined;
}

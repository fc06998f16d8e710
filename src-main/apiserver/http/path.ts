// The path of a request, taken apart by the rules of the Kubernetes API: /api/v1/… and /apis/GROUP/VERSION/…, with an
// optional namespace, name and subresource. Pure; allocates little, as every request passes here.

export interface ResourcePath {
  group: string;
  version: string;
  namespace: string;
  resource: string;
  name: string;
  /** What follows the name, slashes included: `status`, `log`, `proxy/a/b`. */
  subresource: string;
}

/** Subresources of a namespace itself, which else look like resources inside of it. */
const namespaceSubresources = new Set(['status', 'finalize']);

/**
 * The resource addressed by `path` (no query), or undefined when it is not a resource path. Segments are
 * percent-decoded; a malformed escape makes it not a resource path.
 */
export function parseResourcePath(path: string): ResourcePath | undefined {
  const segments = segmentsOf(path);
  if (!segments) return undefined;
  let at: number;
  let group: string;
  if (segments[0] === 'api') {
    group = '';
    at = 1;
  } else if (segments[0] === 'apis') {
    group = segments[1] ?? '';
    if (!group) return undefined;
    at = 2;
  } else return undefined;
  const version = segments[at++];
  if (!version || at >= segments.length) return undefined;

  let namespace = '';
  if (segments[at] === 'namespaces' && segments.length > at + 2 && !namespaceSubresources.has(segments[at + 2]!)) {
    namespace = segments[at + 1]!;
    at += 2;
  }
  const resource = segments[at]!;
  const name = segments[at + 1] ?? '';
  const subresource = segments.slice(at + 2).join('/');
  // A namespace's own requests are in that namespace, which is what authorization by namespace needs.
  if (resource === 'namespaces' && !namespace && group === '') namespace = name;
  return { group, version, namespace, resource, name, subresource };
}

function segmentsOf(path: string): string[] | undefined {
  const raw = path.split('/');
  const segments: string[] = [];
  for (const part of raw) {
    if (part === '') continue;
    if (!part.includes('%')) {
      segments.push(part);
      continue;
    }
    try {
      segments.push(decodeURIComponent(part));
    } catch (error) {
      if (error instanceof URIError) return undefined;
      throw error;
    }
  }
  return segments;
}

// Adoption and release: a controller owns what its selector matches and nobody else controls, and lets go of what no
// longer matches. The reference is written with the object's uid and version, so that a stale view cannot win.

import type { KubeObject, LabelMatcher } from '../api';
import {
  ApiError,
  type Client,
  controllerOf,
  controllerReference,
  nameOf,
  type Resource,
  type TypeName,
} from '../client';

export interface ClaimRequest<T extends KubeObject> {
  client: Client;
  owner: KubeObject;
  ownerType: TypeName;
  ownerResource: Resource;
  resource: Resource;
  matches: LabelMatcher;
  candidates: readonly T[];
}

/** Adopts and releases as needed; answers what the owner controls afterwards. */
export async function claim<T extends KubeObject>(request: ClaimRequest<T>): Promise<T[]> {
  const { owner, matches, candidates } = request;
  const { uid, deletionTimestamp } = owner.metadata;
  const claimed: T[] = [];
  for (const candidate of candidates) {
    const controller = controllerOf(candidate);
    const matched = matches(candidate.metadata.labels);
    if (controller) {
      if (controller.uid !== uid) continue;
      if (matched) claimed.push(candidate);
      else if (!deletionTimestamp) await release(request, candidate);
    } else if (matched && !deletionTimestamp && !candidate.metadata.deletionTimestamp) {
      const adopted = await adopt(request, candidate);
      if (adopted) claimed.push(adopted);
    }
  }
  return claimed;
}

async function adopt<T extends KubeObject>(request: ClaimRequest<T>, candidate: T): Promise<T | undefined> {
  const { client, owner, ownerType, ownerResource } = request;
  // The cached owner may be gone already, and another of its name made: only the living one may adopt.
  const living = await client.get(ownerResource, nameOf(owner));
  if (living.metadata.uid !== owner.metadata.uid || living.metadata.deletionTimestamp) return undefined;
  const others = candidate.metadata.ownerReferences ?? [];
  return writeOwners(request, candidate, [...others, controllerReference(ownerType, owner)]);
}

async function release<T extends KubeObject>(request: ClaimRequest<T>, candidate: T): Promise<void> {
  const others = candidate.metadata.ownerReferences?.filter(({ uid }) => uid !== request.owner.metadata.uid) ?? [];
  await writeOwners(request, candidate, others);
}

async function writeOwners<T extends KubeObject>(
  { client, resource }: ClaimRequest<T>,
  candidate: T,
  ownerReferences: NonNullable<KubeObject['metadata']['ownerReferences']>,
): Promise<T | undefined> {
  const { uid, resourceVersion } = candidate.metadata;
  const body = { metadata: { uid, resourceVersion, ownerReferences } };
  try {
    return await client.patch<T>(resource, nameOf(candidate), { type: 'merge', body });
  } catch (error) {
    // Gone meanwhile: nothing to own.
    if (ApiError.is(error, 'NotFound')) return undefined;
    throw error;
  }
}

// Read, change, write; again when another writer was faster.

import type { KubeObject } from '../api';
import { ApiError } from './api-error';
import type { Client, ObjectName, Resource, WriteOptions } from './client';

const attempts = 5;

/**
 * Applies `change` to a copy of the object and writes it, reading anew after a conflict, five times at most.
 * `change` answers false when there is nothing to write. Answers the object as it is afterwards.
 */
export async function updateWithRetry<T extends KubeObject>(
  target: { client: Client; resource: Resource; name: ObjectName } & WriteOptions,
  change: (draft: T) => boolean | void,
): Promise<T> {
  const { client, resource, name, ...write } = target;
  for (let attempt = 1; ; attempt++) {
    const current = await client.get<T>(resource, name);
    const draft = structuredClone(current);
    if (change(draft) === false) return current;
    try {
      return await client.update(resource, draft, write);
    } catch (error) {
      if (!ApiError.is(error, 'Conflict') || attempt === attempts) throw error;
    }
  }
}

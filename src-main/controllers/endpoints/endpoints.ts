// The Endpoints controller: one Endpoints object per Service with a selector.

import { type Endpoints, type Pod, resources, type Service } from '../../api';
import { ApiError, referenceTo, splitKey } from '../../client';
import { messageOf } from '../../kit';
import type { ControllerContext, ControllerDeclaration, Outcome, Reconciler } from '../engine';
import { primary } from '../engine';
import { backendsOf, isManaged } from './backends';
import { endpointsDiffer, planEndpoints } from './plan';
import { serviceWatches } from './service-watches';

const failedToCreate = 'FailedToCreateEndpoint';
const failedToUpdate = 'FailedToUpdateEndpoint';

export const endpointsController: ControllerDeclaration = {
  name: 'endpoints',
  component: 'endpoint-controller',
  watches: () => [...serviceWatches, primary(resources.endpoints)],
  create: (context) => new EndpointsReconciler(context),
};

class EndpointsReconciler implements Reconciler {
  constructor(private readonly context: ControllerContext) {}

  async reconcile(key: string): Promise<Outcome> {
    const { informers, client } = this.context;
    const service = informers.lister<Service>(resources.services).get(key);
    const current = informers.lister<Endpoints>(resources.endpoints).get(key);
    if (!service) {
      if (current && isOurs(current)) await this.remove(key, current);
      return;
    }
    if (!isManaged(service) || service.metadata.deletionTimestamp) return;
    const pods = informers.lister<Pod>(resources.pods).list(service.metadata.namespace);
    const next = planEndpoints(service, backendsOf(service, pods), current);
    if (current && !endpointsDiffer(current, next)) return;
    try {
      if (current) await client.update(resources.endpoints, next);
      else await client.create(resources.endpoints, next, { namespace: next.metadata.namespace });
    } catch (error) {
      this.report(service, current ? failedToUpdate : failedToCreate, error);
      throw error;
    }
  }

  private async remove(key: string, current: Endpoints): Promise<void> {
    try {
      const preconditions = { uid: current.metadata.uid };
      await this.context.client.delete(resources.endpoints, splitKey(key), { preconditions });
    } catch (error) {
      if (!ApiError.is(error, 'NotFound')) throw error;
    }
  }

  private report(service: Service, reason: string, error: unknown): void {
    if (ApiError.is(error, 'Conflict') || ApiError.is(error, 'AlreadyExists')) return;
    const verb = reason === failedToCreate ? 'create' : 'update';
    const { namespace, name } = service.metadata;
    const message = `Failed to ${verb} endpoint ${namespace}/${name}: ${messageOf(error)}`;
    const about = referenceTo({ apiVersion: 'v1', kind: 'Service' }, service);
    this.context.events.record(about, { type: 'Warning', reason, message });
  }
}

/** Endpoints that someone made by hand, or a leader election, are theirs to delete. */
function isOurs({ metadata }: Endpoints): boolean {
  return metadata.labels?.['endpoints.kubernetes.io/managed-by'] === 'endpoint-controller';
}

// The EndpointSlice controller: what kube-proxy reads about each Service with a selector.

import { type EndpointSlice, type Pod, resources, type Service } from '../../api';
import { ApiError, nameOf } from '../../client';
import { backendsOf, isManaged } from '../endpoints/backends';
import { serviceWatches } from '../endpoints/service-watches';
import {
  type ControllerContext,
  type ControllerDeclaration,
  Expectations,
  mapped,
  type Outcome,
  type Reconciler,
} from '../engine';
import { managedByLabel, managedByValue, planSlices, serviceNameLabel } from './plan';

const serviceIndex = 'service-of-slice';
const lagRecheckMs = 30_000;

function serviceKey({ metadata }: EndpointSlice): string[] {
  const name = metadata.labels?.[serviceNameLabel];
  return name && metadata.labels?.[managedByLabel] === managedByValue ? [`${metadata.namespace}/${name}`] : [];
}

export const endpointSliceController: ControllerDeclaration = {
  name: 'endpointslice',
  component: 'endpoint-slice-controller',
  watches: () => [
    ...serviceWatches,
    mapped<EndpointSlice>(resources.endpointslices, ({ object, old }) => [
      ...serviceKey(object),
      ...(old ? serviceKey(old) : []),
    ]),
  ],
  create: (context) => new EndpointSliceReconciler(context),
};

class EndpointSliceReconciler implements Reconciler {
  private readonly expectations: Expectations<EndpointSlice>;

  constructor(private readonly context: ControllerContext) {
    context.informers.index<EndpointSlice>(resources.endpointslices, serviceIndex, serviceKey);
    const informer = context.informers.informer<EndpointSlice>(resources.endpointslices);
    this.expectations = new Expectations(informer, context.clock);
  }

  async reconcile(key: string): Promise<Outcome> {
    const { informers, client } = this.context;
    if (!this.expectations.satisfied(key)) return { requeueAfterMs: lagRecheckMs };
    const service = informers.lister<Service>(resources.services).get(key);
    const all = informers.lister<EndpointSlice>(resources.endpointslices).byIndex(serviceIndex, key);
    const current = all.filter(({ metadata }) => !metadata.deletionTimestamp);
    if (!service) {
      for (const slice of current) await this.remove(key, slice);
      this.expectations.forget(key);
      return;
    }
    if (!isManaged(service) || service.metadata.deletionTimestamp) return;
    const pods = informers.lister<Pod>(resources.pods).list(service.metadata.namespace);
    const plan = planSlices(service, backendsOf(service, pods), current);
    for (const slice of plan.create) {
      const { namespace } = slice.metadata;
      this.expectations.created(key, await client.create(resources.endpointslices, slice, { namespace }));
    }
    for (const slice of plan.update) await client.update(resources.endpointslices, slice);
    for (const slice of plan.delete) await this.remove(key, slice);
  }

  private async remove(key: string, slice: EndpointSlice): Promise<void> {
    try {
      const preconditions = { uid: slice.metadata.uid };
      await this.context.client.delete(resources.endpointslices, nameOf(slice), { preconditions });
      this.expectations.deleted(key, slice);
    } catch (error) {
      if (!ApiError.is(error, 'NotFound')) throw error;
    }
  }
}

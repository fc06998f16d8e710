// Changes to Kubernetes objects that pages make.

import { type ResourceName, resources } from '../../src-main/api/resources';
import { rpc } from '../rpc';

export interface ObjectRef {
  cluster: string;
  namespace?: string;
  name: string;
}

export async function deleteObject(resource: ResourceName, ref: ObjectRef): Promise<void> {
  await rpc().kube.delete.mutate({ ...ref, resource });
}

export async function scaleDeployment(ref: ObjectRef, replicas: number): Promise<number> {
  const answer = await rpc().kube.scale.mutate({ ...ref, resource: resources.deployments, replicas });
  return answer.replicas;
}

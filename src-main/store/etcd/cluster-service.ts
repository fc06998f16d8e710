// etcd's Cluster service for a cluster that has one member and will never have more: the list is answered, every change
// is refused with the error etcd itself has for it.

import { permit, type ServiceContext, unary } from './calls';
import type { MountedService } from './extension';
import { etcdError } from './grpc-error';
import { services } from './protocol';

export interface MemberFacts {
  clientUrls: () => string[];
}

interface MemberIdRequest {
  ID: string;
}

export function clusterService(context: ServiceContext, facts: MemberFacts): MountedService {
  const { identity, header } = context;
  const memberId = String(identity.memberId);
  const admin = (call: Parameters<typeof permit>[1]) => permit(context, call, () => [{ kind: 'admin' }]);
  const requireSelf = (id: string) => {
    if (id !== memberId) throw etcdError('MemberNotFound');
  };
  const MemberList = unary(async (_request: object, call) => {
    await permit(context, call, () => []);
    const member = {
      ID: memberId,
      name: identity.name,
      peerURLs: [],
      clientURLs: facts.clientUrls(),
      isLearner: false,
    };
    return { header: header(0), members: [member] };
  });
  const MemberAdd = unary(async ({ peerURLs }: { peerURLs: string[] }, call) => {
    await admin(call);
    requireUrls(peerURLs);
    // A second member could never start, and etcd does not let a cluster lose its quorum knowingly.
    throw etcdError('MemberNotEnoughStarted');
  });
  const MemberRemove = unary(async ({ ID }: MemberIdRequest, call) => {
    await admin(call);
    requireSelf(ID);
    throw etcdError('MemberNotEnoughStarted');
  });
  const MemberUpdate = unary(async ({ ID, peerURLs }: MemberIdRequest & { peerURLs: string[] }, call) => {
    await admin(call);
    requireUrls(peerURLs);
    requireSelf(ID);
    throw etcdError('NotCapable');
  });
  const MemberPromote = unary(async ({ ID }: MemberIdRequest, call) => {
    await admin(call);
    requireSelf(ID);
    throw etcdError('MemberNotLearner');
  });
  return {
    definition: services.cluster,
    implementation: { MemberList, MemberAdd, MemberRemove, MemberUpdate, MemberPromote },
  };
}

function requireUrls(urls: readonly string[]): void {
  if (urls.length === 0) throw etcdError('MemberBadURLs');
  for (const url of urls) {
    if (!/^https?:\/\/[^/]+:\d+$/.test(url)) throw etcdError('MemberBadURLs');
  }
}

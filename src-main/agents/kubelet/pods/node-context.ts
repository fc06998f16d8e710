// What a Pod's worker needs to know of the node it runs on.

import type { Service } from '../../../api';

export interface NodeContext {
  readonly name: string;
  readonly ip: string;
  readonly memoryBytes: number;
  /** Lowest score for the out-of-memory killer that this process may give. */
  readonly oomScoreFloor: number;
  readonly allocatable: Record<string, string>;
  readonly clusterDNS: readonly string[];
  readonly clusterDomain: string;
  /** Text of the node's resolv.conf. */
  resolvConf(): Promise<string>;
  /** Services as far as known; waits for the first list. */
  services(): Promise<readonly Service[]>;
  /** Name of the Docker network Pods join; undefined until the Pod network is set up. */
  podNetwork(): string | undefined;
  /** Reference of the infra image, which is on the node when this resolves. */
  pauseImage(): Promise<string>;
  /** Called after a sandbox has joined the Pod network. */
  sandboxAttached(): Promise<void>;
}

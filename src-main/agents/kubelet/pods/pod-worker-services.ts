// What the worker of a Pod works with, the same for all Pods of the node, and what its parts know of the Pod itself.

import type { Pod } from '../../../api';
import type { Clock, Logger } from '../../../kit';
import type { ImagePuller } from '../images/image-puller';
import type { Prober } from '../probes/prober';
import type { PodIdentity } from '../runtime/names';
import type { ContainerRuntime } from '../runtime/runtime';
import type { VolumeMounter } from '../volumes/volume-mounter';
import type { ApiSources } from './api-sources';
import type { ContainerStarter } from './container-starter';
import type { NodeContext } from './node-context';
import type { PodDirectories } from './pod-directory';
import type { TellPodEvent } from './pod-events';
import type { StatusReporter } from './status-reporter';
import type { TerminationMessages } from './termination-messages';

export interface PodWorkerServices {
  runtime: ContainerRuntime;
  puller: ImagePuller;
  starter: ContainerStarter;
  prober: Prober;
  mounter: VolumeMounter;
  directories: PodDirectories;
  statuses: StatusReporter;
  messages: TerminationMessages;
  node: NodeContext;
  clock: Clock;
  logger: Logger;
  tell: TellPodEvent;
  sourcesOf(pod: Pod): ApiSources;
  /** Deletes the object with grace period 0; a Pod that is gone or replaced is no error. */
  deletePod(identity: PodIdentity): Promise<void>;
  /** Milliseconds between refreshes of mounted ConfigMaps and Secrets. */
  refreshMs: number;
  /** The worker has nothing left to do, ever. */
  finished(uid: string): void;
}

/** The Pod a worker is for, as it is now: it may have changed between any two awaits. */
export interface PodSubject {
  readonly identity: PodIdentity;
  /** As the API last told; undefined for containers whose Pod was never known. */
  readonly pod: Pod | undefined;
  /** The object is gone from the API. */
  readonly vanished: boolean;
}

// Sees to it that a container's image is on the node before the container is made. Failed pulls back off per image and
// Pod; the errors carry the waiting reason and message that a ContainerStatus shows.

import type { Container, Pod } from '../../../api';
import { type Clock, type Logger, PilothouseError, messageOf } from '../../../kit';
import { type TellPodEvent, fieldPathOf } from '../pods/pod-events';
import { RestartBackoff, durationText } from '../pods/restart-backoff';
import { type ContainerRuntime, type ImageFacts, type RegistryAuth, RuntimeError } from '../runtime/runtime';
import { normalizedReference, pullPolicyOf, registryOf } from './reference';

export type PullReason = 'ErrImagePull' | 'ImagePullBackOff' | 'ErrImageNeverPull' | 'InvalidImageName';

export class ImageError extends PilothouseError {
  constructor(
    readonly reason: PullReason,
    message: string,
    /** When another try makes sense; absent = not before the Pod changes. */
    readonly retryInMs?: number,
  ) {
    super({ code: 'IMAGE', message, retryable: true });
  }
}

export interface ImagePullerOptions {
  runtime: ContainerRuntime;
  clock: Clock;
  logger: Logger;
  tell: TellPodEvent;
}

export interface PullRequest {
  pod: Pod;
  container: Container;
  signal: AbortSignal;
  /** Credentials by registry host, read from the Pod's pull secrets only when a pull is needed. */
  credentials(): Promise<Map<string, RegistryAuth>>;
}

export class ImagePuller {
  private readonly backoff = new RestartBackoff();
  private readonly lastErrors = new Map<string, string>();

  constructor(private readonly options: ImagePullerOptions) {}

  /** Throws ImageError. */
  async ensure(request: PullRequest): Promise<ImageFacts> {
    const { pod, container } = request;
    const { runtime, clock, tell } = this.options;
    const image = container.image ?? '';
    if (!/^[a-z0-9][a-zA-Z0-9._/:@-]*$/.test(image)) {
      const message = `Failed to apply default image tag "${image}": couldn't parse image name "${image}": invalid reference format`;
      tell(pod, { type: 'Warning', reason: 'InspectFailed', message, fieldPath: fieldPathOf(pod, container.name) });
      throw new ImageError('InvalidImageName', message);
    }
    const reference = normalizedReference(image);
    const policy = pullPolicyOf(image, container.imagePullPolicy);
    const present = await runtime.image(reference);
    const about = (type: 'Normal' | 'Warning', reason: string, message: string) =>
      tell(pod, { type, reason, message, fieldPath: fieldPathOf(pod, container.name) });
    if (present && policy !== 'Always') {
      about('Normal', 'Pulled', `Container image "${image}" already present on machine and can be accessed by the pod`);
      return present;
    }
    if (policy === 'Never') {
      const message = `Container image "${image}" is not present with pull policy of Never`;
      about('Warning', 'ErrImageNeverPull', message);
      throw new ImageError('ErrImageNeverPull', message);
    }
    const key = `${pod.metadata.uid}_${reference}`;
    const now = clock.now();
    const failedAt = this.failedAt.get(key);
    if (failedAt !== undefined) {
      const { waitMs } = this.backoff.remaining(key, { since: failedAt, now });
      if (waitMs > 0) {
        about('Normal', 'BackOff', `Back-off pulling image "${image}"`);
        const last = this.lastErrors.get(key);
        throw new ImageError('ImagePullBackOff', `Back-off pulling image "${image}"${last ? `: ${last}` : ''}`, waitMs);
      }
    }
    about('Normal', 'Pulling', `Pulling image "${image}"`);
    try {
      const auth = (await request.credentials()).get(registryOf(reference));
      await runtime.pull(reference, { signal: request.signal, auth });
    } catch (error) {
      throw this.failed({ key, image, pod, container }, error);
    }
    const pulled = await runtime.image(reference);
    if (!pulled) throw this.failed({ key, image, pod, container }, new Error('the image is missing after its pull'));
    this.failedAt.delete(key);
    this.backoff.forget(key);
    const took = durationText(clock.now() - now);
    about('Normal', 'Pulled', `Successfully pulled image "${image}" in ${took} (${took} including waiting)`);
    return pulled;
  }

  /** Forgets the failures of a Pod that is gone. */
  forget(podUid: string): void {
    this.backoff.forget(`${podUid}_`);
    for (const map of [this.failedAt, this.lastErrors]) {
      for (const key of map.keys()) if (key.startsWith(`${podUid}_`)) map.delete(key);
    }
  }

  private readonly failedAt = new Map<string, number>();

  private failed(target: { key: string; image: string; pod: Pod; container: Container }, error: unknown): Error {
    const { key, image, pod, container } = target;
    if (RuntimeError.is(error, 'unavailable')) return error;
    const { clock, tell, logger } = this.options;
    const cause = messageOf(error);
    const now = clock.now();
    this.failedAt.set(key, now);
    this.backoff.next(key, now);
    this.lastErrors.set(key, `ErrImagePull: ${cause}`);
    const message = `Failed to pull image "${image}": ${cause}`;
    logger.warn('image pull failed', { image, error });
    tell(pod, { type: 'Warning', reason: 'Failed', message, fieldPath: fieldPathOf(pod, container.name) });
    const { delayMs } = this.backoff.remaining(key, { since: now, now });
    return new ImageError('ErrImagePull', cause, delayMs);
  }
}

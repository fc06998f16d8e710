// What Docker is asked to create for a container and for the sandbox of a Pod. Pure: a Pod in, create options out.

import { createHash } from 'node:crypto';
import { join, normalize } from 'node:path';
import type { ContainerCreateOptions, MountSettings } from 'dockerode';
import type { Container, Pod } from '../../../api';
import { type PodIdentity, identityOf, labels, podLabels, sandboxContainerName } from '../runtime/names';
import { ContainerConfigError } from './environment';
import { expand } from './expansion';
import { oomScoreAdjustment } from './quality-of-service';
import { byteValue, milliValue } from './quantity';

const cpuPeriod = 100_000;
const minCpuQuota = 1000;
const minShares = 2;

/** Name the Pod's hostname: at most 63 characters, no trailing separators. */
export function podHostname(pod: Pod): string {
  const name = pod.spec.hostname ?? pod.metadata.name ?? '';
  return name.length > 63 ? name.slice(0, 63).replace(/[-.]+$/, '') : name;
}

/** Changes when the container must be made anew: upstream compares the image since only that may change in place. */
export function containerHash(container: Container): string {
  return createHash('sha256').update(`${container.name}\n${container.image}`).digest('hex').slice(0, 12);
}

export interface ContainerInput {
  pod: Pod;
  container: Container;
  attempt: number;
  sandboxId: string;
  environment: Record<string, string>;
  volumes: ReadonlyMap<string, string>;
  hostsFile: string;
  resolvConf: string;
  terminationMessageFile: string;
  nodeMemory: number;
  /** The kernel refuses to lower a score below the kubelet's own without CAP_SYS_RESOURCE. */
  oomScoreFloor: number;
  /** `USER` of the image. */
  imageUser: string;
  /** ID or reference of the image to run. */
  image: string;
}

function resourceConfig(input: ContainerInput) {
  const { pod, container } = input;
  const requests = container.resources?.requests ?? {};
  const limits = container.resources?.limits ?? {};
  const cpuLimit = milliValue(limits.cpu) ?? 0;
  const cpuRequest = milliValue(requests.cpu) ?? cpuLimit;
  const memory = byteValue(limits.memory) ?? 0;
  return {
    CpuShares: Math.max(minShares, Math.floor((cpuRequest * 1024) / 1000)),
    ...(cpuLimit > 0
      ? { CpuPeriod: cpuPeriod, CpuQuota: Math.max(minCpuQuota, Math.floor((cpuLimit * cpuPeriod) / 1000)) }
      : {}),
    ...(memory > 0 ? { Memory: memory, MemorySwap: memory } : {}),
    OomScoreAdj: Math.max(input.oomScoreFloor, oomScoreAdjustment(pod, container, input.nodeMemory)),
  };
}

const propagation: Record<string, 'rslave' | 'rshared' | 'rprivate'> = {
  HostToContainer: 'rslave',
  Bidirectional: 'rshared',
  None: 'rprivate',
};

function mounts(input: ContainerInput): MountSettings[] {
  const { container } = input;
  const out: MountSettings[] = [];
  for (const mount of container.volumeMounts ?? []) {
    const source = input.volumes.get(mount.name);
    if (source === undefined)
      throw new ContainerConfigError(`cannot find volume "${mount.name}" to mount into container "${container.name}"`);
    const sub = mount.subPathExpr
      ? expand(mount.subPathExpr, (name) => input.environment[name])
      : (mount.subPath ?? '');
    if (normalize(sub).split('/')[0] === '..' || sub.startsWith('/')) {
      throw new ContainerConfigError(
        `failed to create subPath directory for volumeMount "${mount.name}" of container "${container.name}"`,
      );
    }
    out.push({
      Type: 'bind',
      Source: sub ? join(source, sub) : source,
      Target: mount.mountPath.startsWith('/') ? mount.mountPath : `/${mount.mountPath}`,
      ReadOnly: mount.readOnly ?? false,
      BindOptions: { Propagation: propagation[mount.mountPropagation ?? 'None'] ?? 'rprivate' },
    });
  }
  const own = (source: string, target: string) => {
    if (out.some((mount) => mount.Target === target)) return;
    out.push({ Type: 'bind', Source: source, Target: target, ReadOnly: false });
  };
  own(input.hostsFile, '/etc/hosts');
  own(input.resolvConf, '/etc/resolv.conf');
  own(input.terminationMessageFile, container.terminationMessagePath ?? '/dev/termination-log');
  return out;
}

/** Throws ContainerConfigError when runAsNonRoot cannot hold. */
function userOf(input: ContainerInput): string | undefined {
  const pod = input.pod.spec.securityContext;
  const own = input.container.securityContext;
  const user = own?.runAsUser ?? pod?.runAsUser;
  const group = own?.runAsGroup ?? pod?.runAsGroup;
  if (own?.runAsNonRoot ?? pod?.runAsNonRoot) {
    const where = `(pod: "${input.pod.metadata.name}_${input.pod.metadata.namespace}(${input.pod.metadata.uid})", container: ${input.container.name})`;
    if (user === 0) throw new ContainerConfigError(`container's runAsUser breaks non-root policy ${where}`);
    const imageUser = input.imageUser.split(':')[0]!;
    if (user === undefined && (imageUser === '' || imageUser === '0' || imageUser === 'root')) {
      throw new ContainerConfigError(`container has runAsNonRoot and image will run as root ${where}`);
    }
    if (user === undefined && !/^\d+$/.test(imageUser)) {
      throw new ContainerConfigError(
        `container has runAsNonRoot and image has non-numeric user (${imageUser}), cannot verify user is non-root ${where}`,
      );
    }
  }
  if (user === undefined && group === undefined) return undefined;
  const name = user === undefined ? input.imageUser.split(':')[0] || '0' : String(user);
  return group === undefined ? name : `${name}:${group}`;
}

function securityConfig(input: ContainerInput) {
  const own = input.container.securityContext;
  const pod = input.pod.spec.securityContext;
  const capability = (name: string) => name.replace(/^CAP_/, '');
  const groups = [...(pod?.supplementalGroups ?? []), ...(pod?.fsGroup === undefined ? [] : [pod.fsGroup])];
  return {
    Privileged: own?.privileged ?? false,
    ReadonlyRootfs: own?.readOnlyRootFilesystem ?? false,
    ...(own?.capabilities?.add ? { CapAdd: own.capabilities.add.map(capability) } : {}),
    ...(own?.capabilities?.drop ? { CapDrop: own.capabilities.drop.map(capability) } : {}),
    ...(groups.length > 0 ? { GroupAdd: groups.map(String) } : {}),
    SecurityOpt: own?.allowPrivilegeEscalation === false ? ['no-new-privileges'] : [],
  };
}

function ownLabels(identity: PodIdentity, container: Container, input: ContainerInput): Record<string, string> {
  return {
    ...podLabels(identity),
    [labels.containerName]: container.name,
    [labels.type]: 'container',
    [labels.sandboxId]: input.sandboxId,
    [labels.hash]: containerHash(container),
    [labels.attempt]: String(input.attempt),
    [labels.terminationMessagePath]: container.terminationMessagePath ?? '/dev/termination-log',
    [labels.terminationMessagePolicy]: container.terminationMessagePolicy ?? 'File',
    [labels.gracePeriod]: String(input.pod.spec.terminationGracePeriodSeconds ?? 30),
  };
}

export function containerConfig(input: ContainerInput): ContainerCreateOptions {
  const { pod, container, environment } = input;
  const lookup = (name: string) => environment[name];
  const joined = `container:${input.sandboxId}`;
  return {
    Image: input.image,
    ...(container.command ? { Entrypoint: container.command.map((part) => expand(part, lookup)) } : {}),
    ...(container.args ? { Cmd: container.args.map((part) => expand(part, lookup)) } : {}),
    ...(container.workingDir ? { WorkingDir: container.workingDir } : {}),
    Env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    User: userOf(input),
    Labels: ownLabels(identityOf(pod), container, input),
    OpenStdin: container.stdin ?? false,
    StdinOnce: container.stdinOnce ?? false,
    Tty: container.tty ?? false,
    // The kubelet runs the probes; one of the image would only cost time.
    Healthcheck: { Test: ['NONE'] },
    HostConfig: {
      NetworkMode: joined,
      IpcMode: joined,
      PidMode: pod.spec.hostPID ? 'host' : pod.spec.shareProcessNamespace ? joined : '',
      UTSMode: pod.spec.hostNetwork ? 'host' : '',
      Mounts: mounts(input),
      RestartPolicy: { Name: 'no' },
      ...resourceConfig(input),
      ...securityConfig(input),
    },
  };
}

export interface SandboxInput {
  pod: Pod;
  attempt: number;
  image: string;
  network: string;
  oomScoreFloor: number;
}

/** The infra container: it holds the network, IPC and UTS namespaces for as long as the Pod lives. */
export function sandboxConfig(input: SandboxInput): ContainerCreateOptions {
  const { pod } = input;
  const host = pod.spec.hostNetwork === true;
  const sysctls = pod.spec.securityContext?.sysctls ?? [];
  return {
    Image: input.image,
    ...(host ? {} : { Hostname: podHostname(pod) }),
    Labels: {
      ...podLabels(identityOf(pod)),
      [labels.containerName]: sandboxContainerName,
      [labels.type]: 'podsandbox',
      [labels.attempt]: String(input.attempt),
    },
    HostConfig: {
      NetworkMode: host ? 'host' : input.network,
      IpcMode: pod.spec.hostIPC ? 'host' : 'shareable',
      PidMode: pod.spec.hostPID ? 'host' : '',
      UTSMode: host ? 'host' : '',
      OomScoreAdj: Math.max(input.oomScoreFloor, -998),
      CpuShares: minShares,
      RestartPolicy: { Name: 'no' },
      ...(sysctls.length > 0 ? { Sysctls: Object.fromEntries(sysctls.map(({ name, value }) => [name, value])) } : {}),
    },
  };
}

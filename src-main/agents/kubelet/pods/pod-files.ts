// What containers of a Pod find on disk besides their image: volumes, the hosts file, resolv.conf.

import { mkdir } from 'node:fs/promises';
import type { Pod } from '../../../api';
import { messageOf } from '../../../kit';
import type { VolumePaths } from '../volumes/volume-mounter';
import type { ApiSources } from './api-sources';
import { podHostname } from './container-config';
import type { DownwardFacts } from './downward';
import { hostsText, resolvConfText, writeIfDifferent } from './pod-directory';
import type { PodSubject, PodWorkerServices } from './pod-worker-services';

export class PodFiles {
  private volumes: VolumePaths | undefined;
  private volumesAt = 0;
  private sources: ApiSources | undefined;

  constructor(
    private readonly services: PodWorkerServices,
    private readonly subject: PodSubject,
  ) {}

  sourcesOf(pod: Pod): ApiSources {
    this.sources ??= this.services.sourcesOf(pod);
    return this.sources;
  }

  /** The Pod's own directory, for only this process to write. */
  async prepare(): Promise<void> {
    const { directories } = this.services;
    await mkdir(directories.of(this.subject.identity.uid), { recursive: true, mode: 0o750 });
  }

  /** Mounts what is not mounted yet. Files that name the Pod's address are written once that is known. */
  async mount(pod: Pod, facts: DownwardFacts): Promise<VolumePaths> {
    const { mounter, tell, clock } = this.services;
    if (this.volumes && facts.podIP === '') return this.volumes;
    await this.writeNetworkFiles(pod, facts);
    if (this.volumes) return this.volumes;
    try {
      this.volumes = await mounter.mount({ pod, facts, reader: this.sourcesOf(pod) });
      this.volumesAt = clock.now();
      return this.volumes;
    } catch (error) {
      tell(pod, { type: 'Warning', reason: 'FailedMount', message: messageOf(error) });
      throw error;
    }
  }

  /** Brings mounted ConfigMaps, Secrets and the like up to date, when that is due. */
  async refresh(facts: DownwardFacts): Promise<void> {
    const { clock, mounter, refreshMs } = this.services;
    const { pod } = this.subject;
    if (!pod || clock.now() - this.volumesAt < refreshMs) return;
    this.volumesAt = clock.now();
    await mounter.refresh({ pod, facts, reader: this.sourcesOf(pod) });
  }

  async remove(): Promise<void> {
    const { mounter, directories } = this.services;
    await mounter.unmount(this.subject.identity.uid);
    await directories.remove(this.subject.identity.uid);
    this.volumes = undefined;
  }

  private async writeNetworkFiles(pod: Pod, facts: DownwardFacts): Promise<void> {
    const { directories, node } = this.services;
    if (facts.podIP === '') return;
    const { uid, namespace } = this.subject.identity;
    const hostname = pod.spec.hostNetwork ? node.name : podHostname(pod);
    const { subdomain } = pod.spec;
    const fqdn = subdomain ? `${hostname}.${subdomain}.${namespace}.svc.${node.clusterDomain}` : undefined;
    const hosts = hostsText({ ip: facts.podIP, hostname, fqdn, aliases: pod.spec.hostAliases });
    await this.prepare();
    await writeIfDifferent(directories.hostsFile(uid), hosts);
    const { clusterDNS, clusterDomain } = node;
    const resolv = resolvConfText({ pod, clusterDNS, clusterDomain, node: await node.resolvConf() });
    await writeIfDifferent(directories.resolvConf(uid), resolv);
  }
}

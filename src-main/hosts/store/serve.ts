// The store by itself, as an etcd server: a composition root over the store, its quota, its compaction, users, locks and
// the endpoint. It runs in the foreground until a signal.

import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Logger, systemClock } from '../../kit';
import { createQuota, openLmdbStore, openSnapshot, type Quota, startAutoCompaction } from '../../store';
import { type AlarmProvider, type EtcdServer, type EtcdTls, startEtcdServer } from '../../store/etcd';
import { authorizer, authService, AuthStore } from '../../store/etcd-auth';
import { electionService, lockService } from '../../store/etcd-concurrency';
import { badUsage } from '../cli/exit-codes';
import type { ServeSettings } from './serve-flags';

export interface ServedStore {
  server: EtcdServer;
  /** Ends the endpoint, then closes the store. */
  stop(): Promise<void>;
}

export async function serveStore(settings: ServeSettings, logger: Logger): Promise<ServedStore> {
  const directory = resolve(settings.directory);
  const tls = settings.tls && (await readTls(settings.tls));
  const store = await openLmdbStore({ directory, logger });
  const closers: (() => unknown)[] = [() => store.close()];
  const closeAll = async () => {
    for (const close of closers.toReversed()) await close();
  };
  try {
    const auth = await AuthStore.open({ path: join(directory, 'auth.json'), clock: systemClock });
    const quota = createQuota({ store, bytes: settings.quotaBytes, logger });
    closers.push(() => quota.close());
    if (settings.compaction) closers.push(startAutoCompaction(settings.compaction, { store, logger }));
    const authorize = authorizer(auth, store);
    const server = await startEtcdServer({
      store,
      logger,
      listen: settings.listen,
      listenMetrics: settings.listenMetrics,
      tls,
      name: settings.name,
      identitySeed: `${settings.name}\0${directory}`,
      authorize,
      alarms: alarmProvider(quota),
      snapshots: {
        async open() {
          const { bytes, chunks, close } = await openSnapshot(store);
          // The checksum of 32 bytes follows the database.
          return { size: bytes + 32, chunks, close };
        },
      },
      quotaBytes: settings.quotaBytes,
      maxRequestBytes: settings.maxRequestBytes,
      services: ({ header }) => [
        authService({ auth, header }),
        lockService({ store, header, authorize }),
        electionService({ store, header, authorize }),
      ],
    });
    closers.push(() => server.stop());
    return { server, stop: closeAll };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

const alarmNames = ['NONE', 'NOSPACE', 'CORRUPT'] as const;

function alarmProvider(quota: Quota): AlarmProvider {
  const numbered = (alarms: ReturnType<Quota['alarms']>) =>
    alarms.map(({ type, memberId }) => ({ memberId, type: alarmNames.indexOf(type) }));
  return {
    list: () => numbered(quota.alarms()),
    async activate({ memberId, type }) {
      const name = alarmNames[type];
      if (name !== 'NOSPACE' && name !== 'CORRUPT') return [];
      await quota.raise({ type: name, memberId });
      return [{ memberId, type }];
    },
    async deactivate({ memberId, type }) {
      return numbered(await quota.disarm({ type: alarmNames[type] ?? 'NONE', memberId }));
    },
  };
}

async function readTls(tls: NonNullable<ServeSettings['tls']>): Promise<EtcdTls> {
  const read = async (path: string, flag: string) => {
    try {
      return await readFile(path);
    } catch (error) {
      throw badUsage(`${flag}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  return {
    cert: await read(tls.certFile, '--cert-file'),
    key: await read(tls.keyFile, '--key-file'),
    clientCa: tls.trustedCaFile === undefined ? undefined : await read(tls.trustedCaFile, '--trusted-ca-file'),
    clientCertAuth: tls.clientCertAuth,
  };
}

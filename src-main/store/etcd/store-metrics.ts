// The store's state under etcd's metric names, in Prometheus' text format.

import type { Alarm } from './extension';
import type { LocalStore } from '../store';
import { etcdVersion } from './version';

export interface StoreMetricsSource {
  store: LocalStore;
  memberId: bigint;
  alarms: () => Alarm[];
  quotaBytes: number;
  watches: () => { watches: number; streams: number };
  operations: () => { puts: number; deletes: number; ranges: number; txns: number };
}

type Kind = 'gauge' | 'counter';

export function storeMetricLines(source: StoreMetricsSource): string[] {
  const { store } = source;
  const { total, inUse } = store.size();
  const { watches, streams } = source.watches();
  const { puts, deletes, ranges, txns } = source.operations();
  const usage = process.cpuUsage();
  const memory = process.memoryUsage();
  const rows: [string, Kind, string, number][] = [
    ['etcd_server_has_leader', 'gauge', 'Whether a leader exists: always, as the one member is it.', 1],
    ['etcd_server_is_leader', 'gauge', 'Whether this member is the leader.', 1],
    ['etcd_server_is_learner', 'gauge', 'Whether this member is a learner.', 0],
    ['etcd_server_leader_changes_seen_total', 'counter', 'Leader changes seen.', 1],
    ['etcd_server_proposals_committed_total', 'gauge', 'Proposals committed.', store.revision()],
    ['etcd_server_proposals_applied_total', 'gauge', 'Proposals applied.', store.revision()],
    ['etcd_server_proposals_failed_total', 'counter', 'Proposals that failed.', 0],
    ['etcd_server_quota_backend_bytes', 'gauge', 'Size at which the store stops growing.', source.quotaBytes],
    ['etcd_debugging_mvcc_current_revision', 'gauge', 'The revision of the store.', store.revision()],
    ['etcd_debugging_mvcc_compact_revision', 'gauge', 'The revision of the last compaction.', store.compactRevision()],
    ['etcd_debugging_mvcc_watcher_total', 'gauge', 'Watches there are.', watches],
    ['etcd_debugging_mvcc_watch_stream_total', 'gauge', 'Watch streams there are.', streams],
    ['etcd_debugging_mvcc_db_total_size_in_bytes', 'gauge', 'Bytes of the files on disk.', total],
    ['etcd_mvcc_db_total_size_in_bytes', 'gauge', 'Bytes of the files on disk.', total],
    ['etcd_mvcc_db_total_size_in_use_in_bytes', 'gauge', 'Bytes of the files that hold data.', inUse],
    ['etcd_mvcc_put_total', 'counter', 'Puts seen.', puts],
    ['etcd_mvcc_delete_total', 'counter', 'Deletes seen.', deletes],
    ['etcd_mvcc_range_total', 'counter', 'Ranges seen.', ranges],
    ['etcd_mvcc_txn_total', 'counter', 'Transactions seen.', txns],
    ['etcd_debugging_mvcc_put_total', 'counter', 'Puts seen.', puts],
    ['etcd_debugging_mvcc_delete_total', 'counter', 'Deletes seen.', deletes],
    ['etcd_debugging_mvcc_range_total', 'counter', 'Ranges seen.', ranges],
    ['etcd_debugging_mvcc_txn_total', 'counter', 'Transactions seen.', txns],
    ['process_cpu_seconds_total', 'counter', 'CPU time of the process.', (usage.user + usage.system) / 1e6],
    ['process_resident_memory_bytes', 'gauge', 'Resident memory of the process.', memory.rss],
    [
      'process_start_time_seconds',
      'gauge',
      'When the process started.',
      Math.round(Date.now() / 1000 - process.uptime()),
    ],
  ];
  const lines = rows.flatMap(([name, kind, help, value]) => [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${kind}`,
    `${name} ${value}`,
  ]);
  const id = BigInt.asUintN(64, source.memberId).toString(16);
  lines.push(
    '# TYPE etcd_server_version gauge',
    `etcd_server_version{server_version="${etcdVersion}"} 1`,
    '# TYPE etcd_server_id gauge',
    `etcd_server_id{server_id="${id}"} 1`,
  );
  return lines;
}

export { type Alarm as StoreAlarm, alarmTypes } from './alarm';
export {
  type AutoCompactionMode,
  type AutoCompactionOptions,
  parseAutoCompaction,
  startAutoCompaction,
} from './auto-compaction';
export { type EtcdAlarms, etcdAlarms, type NumberedAlarm } from './etcd-alarms';
export { createQuota, defaultQuotaBytes, type Quota, type QuotaOptions } from './quota';

export { type Alarm, alarmTypes } from './alarm';
export {
  type AutoCompactionMode,
  type AutoCompactionOptions,
  parseAutoCompaction,
  startAutoCompaction,
} from './auto-compaction';
export { createQuota, defaultQuotaBytes, type Quota, type QuotaOptions } from './quota';

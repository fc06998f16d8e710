// Durations as kubectl prints them, so that what is seen here matches what is seen in a terminal.

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

function two(value: number, unit: string, rest: number, restUnit: string): string {
  return rest > 0 ? `${value}${unit}${rest}${restUnit}` : `${value}${unit}`;
}

/** kubectl's age: two units while small (`2m5s`, `3h20m`), one when large (`45d`). */
export function formatDuration(milliseconds: number): string {
  if (!Number.isFinite(milliseconds)) return '–';
  const ms = Math.max(0, milliseconds);
  const seconds = Math.floor(ms / second);
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(ms / minute);
  if (minutes < 10) return two(minutes, 'm', seconds % 60, 's');
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(ms / hour);
  if (hours < 8) return two(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(ms / day);
  if (days < 8) return two(days, 'd', hours % 24, 'h');
  if (days < 730) return `${days}d`;
  return `${Math.floor(days / 365)}y`;
}

/** Age of an RFC 3339 time, or a dash when there is none. */
export function formatAge(time: string | null | undefined, now: number): string {
  return time ? formatDuration(now - Date.parse(time)) : '–';
}

/** A stopwatch: `0:07`, `12:30`, `1:02:03`. */
export function formatStopwatch(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / second));
  const pad = (value: number) => String(value).padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${pad(seconds % 60)}`;
  return `${Math.floor(minutes / 60)}:${pad(minutes % 60)}:${pad(seconds % 60)}`;
}

// Columns as data and sorting, shared by every table.

export interface TableColumn<T> {
  id: string;
  label: string;
  /** What is shown without a slot, searched, and sorted by. */
  value: (row: T) => string | number;
  /** CSS grid track; the default shares what is left. */
  width?: string;
  align?: 'end';
  /** Left out where there is no room for all. */
  wideOnly?: boolean;
  /** False for what is shown in another form than its value (ages), which a search cannot mean. */
  searched?: false;
}

export interface SortState {
  column: string;
  descending: boolean;
}

const collator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

function compare(a: string | number, b: string | number): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return collator.compare(String(a), String(b));
}

/** A sorted copy; equal rows keep their order. */
export function sortRows<T>(rows: readonly T[], columns: readonly TableColumn<T>[], sort: SortState | undefined): T[] {
  const column = columns.find((item) => item.id === sort?.column);
  if (!column || !sort) return [...rows];
  const direction = sort.descending ? -1 : 1;
  return rows
    .map((row) => ({ row, value: column.value(row) }))
    .sort((a, b) => direction * compare(a.value, b.value))
    .map(({ row }) => row);
}

/** Sorts a time by its age, the youngest first; what has no time is youngest. */
export function ageRank(time: string | null | undefined): number {
  const milliseconds = Date.parse(time ?? '');
  return Number.isNaN(milliseconds) ? Number.NEGATIVE_INFINITY : -milliseconds;
}

/** Rows of which some column contains every word of the query. */
export function filterRows<T>(rows: readonly T[], columns: readonly TableColumn<T>[], query: string): readonly T[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return rows;
  const searched = columns.filter((column) => column.searched !== false);
  return rows.filter((row) => {
    const text = searched.map((column) => String(column.value(row)).toLowerCase()).join('\n');
    return words.every((word) => text.includes(word));
  });
}

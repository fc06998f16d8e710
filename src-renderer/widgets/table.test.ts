import { describe, expect, it } from 'vitest';
import { ageRank, filterRows, sortRows, type TableColumn } from './table';

interface Row {
  name: string;
  restarts: number;
}
const columns: TableColumn<Row>[] = [
  { id: 'name', label: 'Name', value: (row) => row.name },
  { id: 'restarts', label: 'Restarts', value: (row) => row.restarts },
];
const rows: Row[] = [
  { name: 'web-10', restarts: 2 },
  { name: 'web-2', restarts: 10 },
  { name: 'db', restarts: 2 },
];
const names = (list: readonly Row[]) => list.map((row) => row.name);

describe('sortRows', () => {
  it('orders numbers inside names as numbers', () => {
    expect(names(sortRows(rows, columns, { column: 'name', descending: false }))).toEqual(['db', 'web-2', 'web-10']);
  });
  it('orders numbers, keeps the order of equals, leaves the input alone', () => {
    expect(names(sortRows(rows, columns, { column: 'restarts', descending: true }))).toEqual(['web-2', 'web-10', 'db']);
    expect(names(sortRows(rows, columns, undefined))).toEqual(names(rows));
    expect(names(sortRows(rows, columns, { column: 'gone', descending: false }))).toEqual(names(rows));
  });
});

describe('filterRows', () => {
  it('wants every word, in any column, in any case', () => {
    expect(names(filterRows(rows, columns, 'WEB 10'))).toEqual(['web-10', 'web-2']);
    expect(names(filterRows(rows, columns, ' '))).toEqual(names(rows));
    expect(filterRows(rows, columns, 'nothing')).toEqual([]);
  });
});

describe('ageRank', () => {
  it('ranks the younger before the older, and what has no time before both', () => {
    const [older, younger] = [ageRank('2026-01-01T00:00:00Z'), ageRank('2026-01-02T00:00:00Z')];
    expect(younger).toBeLessThan(older);
    expect(ageRank(undefined)).toBeLessThan(younger);
    expect(ageRank('')).toBe(ageRank(null));
  });
});

/** What happens to the table between two backups. */
export interface ChangeSet {
  readonly title: string;
  /** Share of the rows that are changed. */
  readonly share: number;
  /** Which rows of `contents` are changed, by `id` from 1 to `:rows`; nothing: none are. */
  readonly where?: (rows: number) => string;
}

/** Rows side by side, as the newest of a log are; and one here, one there, as accounts are. */
export const changeSets: readonly ChangeSet[] = [
  { title: 'nothing changed', share: 0 },
  { title: '0.1 % of the rows, clustered', share: 0.001, where: clustered(0.001) },
  { title: '0.1 % of the rows, scattered', share: 0.001, where: () => 'id % 1000 = 7' },
  { title: '10 % of the rows, clustered', share: 0.1, where: clustered(0.1) },
  { title: '10 % of the rows, scattered', share: 0.1, where: () => 'id % 10 = 7' },
];

function clustered(share: number): (rows: number) => string {
  return (rows) => {
    const first = Math.ceil(rows / 3);
    return `id >= ${first} AND id < ${first + Math.ceil(rows * share)}`;
  };
}

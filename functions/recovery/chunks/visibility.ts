/**
 * The transactions that may have made a row visible after one snapshot and before another: every one with an id from
 * `since` on, the earlier snapshot's `xmin`, and below `until`, the later one's `xmax`. Ids of 64 bits.
 */
export interface Window {
  readonly since: bigint;
  readonly until: bigint;
}

const circle = 2n ** 32n;
/** Two ids of 32 bits further apart than this cannot be told from each other's past. */
const maxLength = 2n ** 31n;
/** Ids below this are not those of transactions: such rows are older than any. */
const firstNormal = 3n;

/** The parts of `pg_current_snapshot()`, `xmin:xmax:xip,…`; nothing when it is not one. */
export function snapshotBounds(snapshot: string): { xmin: bigint; xmax: bigint } | undefined {
  const [, xmin, xmax] = /^(\d{1,20}):(\d{1,20}):[\d,]*$/.exec(snapshot) ?? [];
  return xmin === undefined || xmax === undefined ? undefined : { xmin: BigInt(xmin), xmax: BigInt(xmax) };
}

/**
 * The window between two snapshots of one server.
 *
 * @param since `xmin` of the earlier one, decimal.
 * @param now `pg_current_snapshot()` of the later one.
 * @returns nothing when the ids of rows do not tell: the snapshots are too far apart, or not in that order.
 */
export function windowSince(since: string, now: string): Window | undefined {
  const until = snapshotBounds(now)?.xmax;
  if (until === undefined || !/^\d{1,20}$/.test(since)) return undefined;
  const window = { since: BigInt(since), until };
  const length = window.until - window.since;
  return length < 0n || length >= maxLength || window.since % circle < firstNormal ? undefined : window;
}

/** Whether a row with this `xmin`, as it stands in the row with 32 bits, may be of the window. Old rows may seem to be. */
export function mayBeOf({ since, until }: Window, xmin: number): boolean {
  const id = BigInt(xmin);
  if (id < firstNormal) return false;
  return (((id - since) % circle) + circle) % circle < until - since;
}

/** The same in SQL. The ids of 32 bits have no arithmetic of their own, their ages do. */
export function mayBeOfSql({ since, until }: Window, xmin = 'xmin'): string {
  const distance = `(pg_catalog.age('${since % circle}'::xid)::int8 - pg_catalog.age(${xmin})::int8) & ${circle - 1n}`;
  return `${xmin} <> '1'::xid AND ${xmin} <> '2'::xid AND (${distance}) < ${until - since}`;
}

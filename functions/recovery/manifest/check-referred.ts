import { describeRange } from '../chunks/copy-sql.ts';
import type { StoredObject } from '../workflow.ts';
import { canonicalJson } from './manifest.ts';
import type { Parent } from './parent.ts';
import { referableTables, type ShardNow, whyNotReferable } from './referable.ts';

/**
 * Looks at every object that was not stored by this backup: it has to be one that the parent's manifest names, for
 * the same blocks of a table that may be referred to at all. What was planned is not asked.
 *
 * @returns what is wrong.
 */
export function referredProblems(
  referred: readonly StoredObject[],
  parent: Parent | undefined,
  now: ShardNow,
): string[] {
  if (referred.length === 0) return [];
  if (parent === undefined) return ['it refers to another backup, and has no parent'];
  const reason = whyNotReferable(parent.shard, parent.encoding, now);
  if (reason !== undefined) return [`it refers to ${parent.backupId}, but ${reason}`];
  const tables = referableTables(parent.shard, now.description);
  const blocks = new Map(parent.shard.tables.map((table) => [table.oid, table.blocks]));
  const known = new Map(parent.shard.chunks.map((object) => [nameOf(object), object]));
  return referred.flatMap((object) => {
    const range = object.rows?.range;
    const then = known.get(nameOf(object));
    if (range === undefined || then?.rows === undefined) return [`${parent.backupId} has no ${object.key}`];
    const end = then.rows.range.toBlock ?? (range.toBlock === null ? null : blocks.get(range.oid));
    const covers =
      range.toBlock === then.rows.range.toBlock ||
      (then.rows.range.toBlock === null && typeof end === 'number' && (range.toBlock ?? 0) >= end);
    const same = {
      ...object,
      rows: { ...object.rows, range: { ...range, toBlock: then.rows.range.toBlock } },
    };
    if (covers && tables.has(range.oid) && canonicalJson(same) === canonicalJson(then)) return [];
    return [`${object.key} does not stand for ${describeRange(range)}`];
  });
}

const nameOf = ({ key, versionId, sha256 }: StoredObject): string => JSON.stringify([key, versionId, sha256]);

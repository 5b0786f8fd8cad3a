import { Client, escapeIdentifier } from 'pg';
import type { Restore } from '../../functions/recovery/restore/model.ts';
import type { LocalPlatform } from '../connect/local-platform.ts';

/** Drops the databases that a restore made beside the originals of a local platform. */
export async function dropRestored(local: LocalPlatform, { mode, shardDetails }: Restore): Promise<void> {
  if (mode !== 'new') return;
  for (const { shard, database } of shardDetails) {
    const url = local.writers.get(shard);
    if (url === undefined) throw new Error(`${shard} is not in local.json; ${database} is left there.`);
    const client = new Client({ connectionString: verified(url) });
    await client.connect();
    try {
      await client.query(`DROP DATABASE IF EXISTS ${escapeIdentifier(database)} WITH (FORCE)`);
    } finally {
      await client.end();
    }
  }
}

/** With the check that pg makes for every mode today, by the name that it keeps. */
function verified(url: string): string {
  const parsed = new URL(url);
  parsed.searchParams.set('sslmode', 'verify-full');
  return parsed.href;
}

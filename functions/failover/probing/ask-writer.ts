import * as z from 'zod';
import { lsnSchema } from '../model.ts';
import type { Client, Phase } from './ask.ts';
import { type Identity, identify } from './identify.ts';

/** A writer that took a heartbeat and gave it back. */
export interface Beat {
  readonly identity: Identity;
  /** Why it could not be asked for that, where it was only looked at. */
  readonly unproven?: string;
  /** Where its log ended after the heartbeat; Aurora does not say. */
  readonly lsn?: string;
  /** When that was read, in milliseconds since the epoch. */
  readonly at: number;
}

const writtenSchema = z.object({ epoch: z.coerce.number().int(), beat: z.coerce.number().int() });

const writeSql = `INSERT INTO mainstay.heartbeat AS known (shard, epoch, beat, at)
VALUES ($1, $2, 1, clock_timestamp())
ON CONFLICT (shard) DO UPDATE SET epoch = excluded.epoch, beat = known.beat + 1, at = excluded.at
RETURNING epoch, beat`;
const readSql = 'SELECT epoch, beat FROM mainstay.heartbeat WHERE shard = $1';

/**
 * Proves that an instance is a writer: it takes a row, keeps it, and gives it back.
 *
 * @throws Error saying what it did instead.
 */
export async function askWriter(
  client: Client,
  enter: (phase: Phase) => void,
  shard: { name: string; epoch: number },
  now: () => number,
): Promise<Beat> {
  const identity = await identifyWriter(client, enter);
  await prove(client, enter, shard);
  return beatOf(client, identity, now);
}

/**
 * The same of an instance that is only looked at: where bootstrap has not prepared its database, it is a writer by its own account,
 * and what it lacks every replica of it lacks as well.
 */
export async function lookAtWriter(
  client: Client,
  enter: (phase: Phase) => void,
  shard: { name: string; epoch: number },
  now: () => number,
): Promise<Beat> {
  const identity = await identifyWriter(client, enter);
  try {
    await prove(client, enter, shard);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && unprepared.has(String(error.code)))) throw error;
    return { ...(await beatOf(client, identity, now)), unproven: `write: ${error.message}`.slice(0, 300) };
  }
  return beatOf(client, identity, now);
}

/** Schema, table or column missing, or no right to it. */
const unprepared = new Set(['3F000', '42P01', '42703', '42501']);

async function identifyWriter(client: Client, enter: (phase: Phase) => void): Promise<Identity> {
  enter('identify');
  const identity = await identify(client);
  if (identity.replica) throw new Error('it is a replica');
  return identity;
}

async function prove(
  client: Client,
  enter: (phase: Phase) => void,
  { name, epoch }: { name: string; epoch: number },
): Promise<void> {
  enter('write');
  const written = writtenSchema.parse((await client.query(writeSql, [name, epoch])).rows[0]);
  enter('read');
  const read = writtenSchema.parse((await client.query(readSql, [name])).rows[0]);
  // Another probe may have written in between.
  if (read.beat < written.beat) throw new Error('it has not kept what was written');
}

async function beatOf(client: Client, identity: Identity, now: () => number): Promise<Beat> {
  if (identity.aurora) return { identity, at: now() };
  const { rows } = await client.query('SELECT pg_current_wal_lsn()::text AS lsn');
  const { lsn } = z.object({ lsn: lsnSchema }).parse(rows[0]);
  return { identity, lsn, at: now() };
}

import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { bytesBetween, lsnSchema } from '../model.ts';
import type { Client, Phase } from './ask.ts';
import type { Beat } from './ask-writer.ts';
import { type Identity, identify } from './identify.ts';

/** How far a reader is, by its own account. */
export interface Progress {
  streaming: boolean;
  receivedLsn?: string;
  replayedLsn?: string;
  /** Seconds since the last transaction that it has replayed was committed. */
  sinceReplay?: number;
  /** How long the writer's latest heartbeat took to arrive, in seconds; absent while it has not. */
  caughtUpSeconds?: number;
  /** How far it is behind by the engine's own measure, where instances share their storage. */
  engineLagSeconds?: number;
}

export interface InstanceFound {
  readonly identity: Identity;
  /** Of a reader. */
  readonly progress?: Progress;
}

/** How often a reader is asked whether it has the heartbeat by now, and how far apart, in milliseconds. */
const looks = 4;
const pauseMs = 120;

const lsn = lsnSchema.nullable().transform((value) => value ?? undefined);
const standbySchema = z.object({
  streaming: z.boolean(),
  received: lsn,
  replayed: lsn,
  since: z.coerce.number().nullable(),
});
// Who may not see the details of a receiver still sees that there is one.
const standbySql = `SELECT EXISTS (SELECT FROM pg_stat_wal_receiver WHERE pid IS NOT NULL) AS streaming,
       pg_last_wal_receive_lsn()::text AS received, pg_last_wal_replay_lsn()::text AS replayed,
       extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8 AS since`;

const auroraSchema = z.object({ lag: z.coerce.number().min(0).nullable() });
const auroraSql = `SELECT replica_lag_in_msec AS lag FROM aurora_replica_status()
 WHERE server_id = aurora_db_instance_identifier()`;

/**
 * Looks at one instance of a shard: whether it is a writer and, where it is a reader, how far it is. It looks a few times when
 * the writer's heartbeat, which has just been written, has not arrived yet.
 *
 * @param beat resolves when the writer has been asked; undefined where it did not answer, or not in time.
 */
export async function askInstance(
  client: Client,
  enter: (phase: Phase) => void,
  beat: () => Promise<Beat | undefined>,
  now: () => number,
): Promise<InstanceFound> {
  enter('identify');
  const identity = await identify(client);
  if (!identity.replica) return { identity };
  enter('read');
  if (identity.aurora) {
    const [row] = z.array(auroraSchema).parse((await client.query(auroraSql)).rows);
    const engineLagSeconds = row?.lag == null ? {} : { engineLagSeconds: row.lag / 1000 };
    return { identity, progress: { streaming: row !== undefined, ...engineLagSeconds } };
  }
  const written = await beat();
  let progress = await readProgress(client);
  if (written?.lsn === undefined || has(progress, written.lsn)) {
    return {
      identity,
      progress: written?.lsn === undefined ? progress : { ...progress, caughtUpSeconds: 0 },
    };
  }
  for (let look = 1; look < looks; look++) {
    await sleep(pauseMs);
    progress = await readProgress(client);
    if (has(progress, written.lsn)) {
      const caughtUpSeconds = Math.max(0, now() - written.at) / 1000;
      return { identity, progress: { ...progress, caughtUpSeconds } };
    }
  }
  return { identity, progress };
}

async function readProgress(client: Client): Promise<Progress> {
  const { streaming, received, replayed, since } = standbySchema.parse(
    (await client.query(standbySql)).rows[0],
  );
  // One that has not streamed since its start has received nothing, by its own account, of what it has replayed.
  const receivedLsn = later(received, replayed);
  return {
    streaming,
    ...(receivedLsn !== undefined && { receivedLsn }),
    ...(replayed !== undefined && { replayedLsn: replayed }),
    ...(since !== null && { sinceReplay: Math.max(0, since) }),
  };
}

function has({ replayedLsn }: Progress, position: string): boolean {
  return replayedLsn !== undefined && bytesBetween(position, replayedLsn) >= 0n;
}

function later(one: string | undefined, other: string | undefined): string | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return bytesBetween(one, other) > 0n ? other : one;
}

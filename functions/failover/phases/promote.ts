import * as z from 'zod';
import { NotYetWriterError } from '../errors.ts';
import type { Ask } from '../probing/ask.ts';
import { identify } from '../probing/identify.ts';
import type { Operation } from '../record.ts';
import { type FenceDependencies, setReadOnly } from './fence.ts';

/** How long PostgreSQL is given to end recovery, in seconds; it goes on by itself after that. */
const waitSeconds = 15;
const promotedSchema = z.object({ promoted: z.boolean() });

/**
 * Promotes the replica that was chosen. One that is out of recovery already is promoted.
 *
 * @returns when that was known.
 * @throws NotYetWriterError
 */
export async function promote(
  { ask, now, log }: FenceDependencies,
  { target, database }: Operation,
): Promise<{ promotedAt: string }> {
  const bounded: Ask = ask((waitSeconds + 5) * 1000);
  const { value, reason } = await bounded(target, database, async (client) => {
    const { replica, readOnly } = await identify(client);
    // It may have been an old writer that was fenced.
    if (readOnly) await setReadOnly(client, false, log);
    if (!replica) return true;
    const { rows } = await client.query(`SELECT pg_promote(true, ${waitSeconds}) AS promoted`);
    return promotedSchema.parse(rows[0]).promoted;
  });
  if (value === true) return { promotedAt: new Date(now()).toISOString() };
  throw new NotYetWriterError(
    `${target.instance} was not promoted: ${reason ?? `recovery has not ended after ${waitSeconds} s`}.`,
  );
}

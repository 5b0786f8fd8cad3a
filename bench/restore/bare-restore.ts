import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { from } from 'pg-copy-streams';
import { openConnection } from '../backup/connection.ts';
import type { RestoreJobOf } from './job.ts';

const pieceBytes = 512 * 1024;

/** Sends files of COPY text to the server as they are, one after the other. */
export async function copyIn({ connection, files }: RestoreJobOf<'copy'>): Promise<void> {
  const client = await openConnection(connection);
  for (const { sql, path } of files) {
    await pipeline(createReadStream(path, { highWaterMark: pieceBytes }), client.query(from(sql)));
  }
  await client.end();
}

/** Runs statements one after the other. */
export async function runStatements({ connection, statements }: RestoreJobOf<'statements'>): Promise<void> {
  const client = await openConnection(connection);
  for (const statement of statements) await client.query(statement);
  await client.end();
}

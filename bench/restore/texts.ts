import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { readVerified } from '../../functions/recovery/objects/verify-object.ts';
import { splitDump } from '../../functions/recovery/restore/engine/statements.ts';
import { qualifiedName, quoteIdentifier } from '../../functions/recovery/snapshot/sql.ts';
import type { StoredObject } from '../../functions/recovery/workflow.ts';
import { divide, laneCounts } from '../backup/candidate.ts';
import type { DatabaseConnection } from '../backup/connection.ts';
import type { StoreFacts } from '../backup/store.ts';
import { withEngine } from './engine.ts';
import type { StoredBackup } from './stored-backup.ts';

/** A file of COPY text and the statement that takes it. */
export interface CopyFile {
  sql: string;
  path: string;
}

/** The same rows and DDL as plain text, for those that do not read our objects. */
export interface Texts {
  /** By the number of lanes: the files of each lane. */
  files: ReadonlyMap<number, readonly (readonly CopyFile[])[]>;
  /** The same as scripts for psql: the path of each lane's, rows included. */
  scripts: ReadonlyMap<number, readonly string[]>;
  /** What comes after the rows, ANALYZE included. */
  statements: readonly string[];
  /** The same as a script for psql. */
  statementsScript: string;
}

/** Writes the texts into a new directory. */
export async function writeTexts(
  directory: string,
  connection: DatabaseConnection,
  store: StoreFacts,
  backup: StoredBackup,
): Promise<Texts> {
  await mkdir(directory, { recursive: true });
  const all: CopyFile[] = [];
  for (const [index, object] of backup.objects.entries()) {
    const path = join(directory, `${index}.copy`);
    await writeText(path, connection, store, object);
    all.push({ sql: copyInSql(backup.plan.tables, object), path });
  }
  const files = new Map(laneCounts.map((lanes) => [lanes, divide(all, lanes)]));
  const scripts = new Map<number, string[]>();
  for (const [lanes, shares] of files) {
    const paths = shares.map((_, lane) => join(directory, `lane-${lane}-of-${lanes}.sql`));
    for (const [lane, share] of shares.entries()) await writeScript(paths[lane] ?? '', share);
    scripts.set(lanes, paths);
  }
  const tables = backup.plan.tables.map(qualifiedName).join(', ');
  const statements = [
    ...splitDump(backup.postData).flatMap((entry) => entry.statements),
    `ANALYZE ${tables};`,
  ];
  const statementsScript = join(directory, 'after.sql');
  await writeFile(statementsScript, `SET client_min_messages = warning;\n${statements.join('\n')}\n`);
  return { files, scripts, statements, statementsScript };
}

async function writeText(
  path: string,
  connection: DatabaseConnection,
  store: StoreFacts,
  object: StoredObject,
): Promise<void> {
  const file = await open(path, 'w');
  try {
    const { problem } = await withEngine(connection, store, ({ place }) =>
      readVerified(place, object, async (piece) => void (await file.writeFile(piece))),
    );
    if (problem !== undefined) throw new Error(`${object.key}: ${problem.detail}`);
  } finally {
    await file.close();
  }
}

function copyInSql(tables: StoredBackup['plan']['tables'], object: StoredObject): string {
  const table = tables.find(({ oid }) => oid === object.rows?.range.oid);
  if (table === undefined) throw new Error(`${object.key} holds rows of no table.`);
  const columns = table.columns.map(({ name }) => quoteIdentifier(name)).join(', ');
  return `COPY ${qualifiedName(table)} (${columns}) FROM STDIN`;
}

/** Writes rows into a script as pg_dump does. */
export async function writeScript(path: string, files: readonly CopyFile[]): Promise<void> {
  async function* pieces() {
    for (const file of files) {
      yield Buffer.from(`${file.sql};\n`);
      yield* createReadStream(file.path);
      yield Buffer.from('\\.\n');
    }
  }
  await pipeline(Readable.from(pieces(), { objectMode: false }), createWriteStream(path));
}

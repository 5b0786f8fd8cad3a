import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { copySql, readCopiedTables } from '../../../functions/recovery/chunks/copy-sql.ts';
import type { ChunkWork } from '../../../functions/recovery/workflow.ts';
import { type Candidate, divide, laneCounts } from '../candidate.ts';
import { type DatabaseConnection, openConnection, programEnvironment } from '../connection.ts';
import type { DataSet } from '../data-sets.ts';
import { pgDumpPeers } from './pg-dump.ts';
import { pipelinePeers } from './pipeline.ts';
import type { PeerPlace } from './place.ts';
import { resticPeers } from './restic.ts';
import type { Tools } from './tools.ts';

export interface PeerOptions {
  tools: Tools;
  dataSet: DataSet;
  items: readonly ChunkWork[];
  connection: DatabaseConnection;
  /** A directory that is removed after the run. */
  directory: string;
}

/** The peers that this machine has the programs for, reading the same rows by the same statements. */
export async function peersOn(options: PeerOptions): Promise<Candidate[]> {
  const { tools, dataSet, connection } = options;
  const directory = join(options.directory, dataSet.schema);
  await mkdir(directory, { recursive: true });
  const statements = await writeStatements(options, directory);
  const place: PeerPlace = {
    tools,
    dataSet,
    directory,
    statements,
    environment: programEnvironment(connection),
  };
  return [...(await pipelinePeers(place)), ...resticPeers(place), ...pgDumpPeers(place)];
}

async function writeStatements({ items, connection }: PeerOptions, directory: string) {
  const client = await openConnection(connection);
  try {
    const tables = await readCopiedTables(client, [
      ...new Set(items.flatMap(({ ranges }) => ranges.map(({ oid }) => oid))),
    ]);
    const written = new Map<number, string[]>();
    for (const lanes of laneCounts) {
      const files: string[] = [];
      for (const [lane, share] of divide(items, lanes).entries()) {
        const statements = share.flatMap(({ ranges }) =>
          ranges.flatMap((range) => {
            const table = tables.get(range.oid);
            return table === undefined ? [] : [`${copySql(range, table)};\n`];
          }),
        );
        const file = join(directory, `lane-${lane}-of-${lanes}.sql`);
        await writeFile(file, statements.join(''));
        files.push(file);
      }
      written.set(lanes, files);
    }
    return written;
  } finally {
    await client.end();
  }
}

import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Client } from 'pg';
import { from } from 'pg-copy-streams';
import * as z from 'zod';
import { describeShard } from '../../functions/recovery/chunks/describe-shard.ts';
import { planChunks } from '../../functions/recovery/chunks/plan.ts';
import type { ChunkWork } from '../../functions/recovery/workflow.ts';
import { PostgresClusters } from '../../local/postgres/clusters.ts';
import { discardClusters } from '../../local/postgres/home.ts';
import { type DatabaseConnection, openConnection } from './connection.ts';
import type { DataSet } from './data-sets.ts';

const database = 'platform';
const user = 'mainstay_master';
const password = 'only for this run';

/** Work items into which a large table is divided: enough for every lane to have the same. */
const chunksPerTable = 4;
const largestChunkBytes = 256 * 1024 * 1024;

/** A real PostgreSQL server with the data, gone when the run ends. */
export class BenchDatabase {
  readonly version: string;
  readonly socket: DatabaseConnection;
  readonly tls: DatabaseConnection;
  readonly #directory: string;
  readonly #clusters: PostgresClusters;
  readonly #admin: Client;

  private constructor(parts: {
    version: string;
    directory: string;
    clusters: PostgresClusters;
    admin: Client;
    socket: DatabaseConnection;
    tls: DatabaseConnection;
  }) {
    this.version = parts.version;
    this.socket = parts.socket;
    this.tls = parts.tls;
    this.#directory = parts.directory;
    this.#clusters = parts.clusters;
    this.#admin = parts.admin;
  }

  /** Starts an empty server, in a temporary directory. */
  static async start(): Promise<BenchDatabase> {
    const directory = await mkdtemp(join(tmpdir(), 'mainstay-bench-'));
    // PostgreSQL's own user has to get through when root runs this.
    await chmod(directory, 0o711);
    const clusters = new PostgresClusters({
      stateDirectory: directory,
      // Nothing is archived beside what is measured.
      pointInTime: false,
      checkToken: () => {
        throw new Error('Nobody uses a token here.');
      },
    });
    try {
      await clusters.start();
      const cluster = { identifier: 'bench', database, masterUsername: user, masterPassword: password };
      await clusters.ensureCluster(cluster);
      const { endpoint, engineVersion } = await clusters.ensureInstance({
        cluster: 'bench',
        identifier: 'bench-1',
      });
      const tls: DatabaseConnection = {
        kind: 'tls',
        ...endpoint,
        database,
        user,
        password,
        authorityFile: clusters.authorityFile,
      };
      const admin = await openConnection(tls);
      const { rows } = await admin.query('SHOW data_directory');
      const [{ data_directory: dataDirectory }] = dataDirectoryRows.parse(rows);
      const socket: DatabaseConnection = { kind: 'socket', directory: dataDirectory, database, user };
      return new BenchDatabase({ version: engineVersion, directory, clusters, admin, socket, tls });
    } catch (error) {
      await clusters.stop();
      await discard(directory);
      throw error;
    }
  }

  /** Creates and fills the tables, and settles them, so that no candidate has to write anything. */
  async fill(dataSet: DataSet): Promise<void> {
    const client = await openConnection(this.socket);
    try {
      await fillTables(client, dataSet);
      await client.query('VACUUM (FREEZE, ANALYZE)');
      await client.query('CHECKPOINT');
    } finally {
      await client.end();
    }
  }

  /** The work items of a data set's tables, as a backup's plan has them. */
  async plan({ schema }: DataSet): Promise<ChunkWork[]> {
    const { tables } = await describeShard(this.#admin);
    const own = tables.filter((table) => table.schema === schema);
    const largest = Math.max(...own.map(({ bytes }) => bytes));
    const target = Math.min(largestChunkBytes, Math.max(1_000_000, Math.ceil(largest / chunksPerTable)));
    return planChunks(own, target);
  }

  /** Stops the server and removes everything. */
  async close(): Promise<void> {
    await this.#admin.end().catch(() => {});
    await this.#clusters.stop();
    await discard(this.#directory);
  }
}

const dataDirectoryRows = z.tuple([z.object({ data_directory: z.string() })]);

async function discard(directory: string): Promise<void> {
  await discardClusters(directory);
  await rm(directory, { recursive: true, force: true });
}

/** Creates the tables of a data set, and loads their rows. */
export async function fillTables(client: Client, { schema, tables }: DataSet): Promise<void> {
  await client.query(`CREATE SCHEMA ${schema}`);
  for (const { name, definition, indexes, rows } of tables) {
    await client.query(`CREATE TABLE ${schema}.${name} (${definition})`);
    const sink = client.query(from(`COPY ${schema}.${name} FROM STDIN`));
    await pipeline(Readable.from(pieces(rows()), { objectMode: false }), sink);
    for (const columns of indexes) await client.query(`CREATE INDEX ON ${schema}.${name} (${columns})`);
  }
}

/** Rows in pieces that are worth a write. */
function* pieces(rows: Iterable<string>): Generator<Buffer> {
  let text = '';
  for (const row of rows) {
    text += row;
    if (text.length < 256 * 1024) continue;
    yield Buffer.from(text);
    text = '';
  }
  if (text !== '') yield Buffer.from(text);
}

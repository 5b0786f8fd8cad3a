import { execFile } from 'node:child_process';
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type OsUser, spawnAs, unprivilegedUser } from '../../../local/postgres/os-user.ts';
import { type DatabaseConnection, openConnection } from '../../backup/connection.ts';
import type { DataSet } from '../../backup/data-sets.ts';
import { fillTables } from '../../backup/database.ts';

const run = promisify(execFile);
const user = 'bench';

/** A server by the PostgreSQL programs on PATH, of whatever version, in a temporary directory and reached by a socket only. */
export class ScratchServer {
  readonly connection: DatabaseConnection;
  readonly #directory: string;
  readonly #runAs: OsUser | undefined;

  private constructor(directory: string, runAs: OsUser | undefined) {
    this.connection = { kind: 'socket', directory, database: 'postgres', user };
    this.#directory = directory;
    this.#runAs = runAs;
  }

  /** @throws when the programs do not do it. */
  static async start(): Promise<ScratchServer> {
    const directory = await mkdtemp(join(tmpdir(), 'mainstay-bench-'));
    await chmod(directory, 0o711);
    const runAs = await unprivilegedUser();
    if (runAs !== undefined) await chown(directory, runAs.uid, runAs.gid);
    const server = new ScratchServer(directory, runAs);
    try {
      await server.#run('initdb', ['-D', server.#data, '-U', user, '-A', 'trust', '-E', 'UTF8', '-N']);
      const options = `-F -k '${directory}' -c listen_addresses= -c port=5432`;
      await server.#run('pg_ctl', [...server.#where, '-l', join(directory, 'log'), '-o', options, 'start']);
      return server;
    } catch (error) {
      await rm(directory, { recursive: true, force: true });
      throw error;
    }
  }

  /** Creates and fills the tables of a data set. */
  async fill(dataSet: DataSet): Promise<void> {
    const client = await openConnection(this.connection);
    try {
      await fillTables(client, dataSet);
    } finally {
      await client.end();
    }
  }

  /** Stops the server and removes everything. */
  async close(): Promise<void> {
    await this.#run('pg_ctl', [...this.#where, '-m', 'immediate', 'stop']);
    await rm(this.#directory, { recursive: true, force: true });
  }

  get #data(): string {
    return join(this.#directory, 'data');
  }

  get #where(): string[] {
    return ['-w', '-D', this.#data];
  }

  async #run(program: string, args: readonly string[]): Promise<void> {
    await run(program, [...args], { ...spawnAs(this.#runAs), cwd: this.#directory });
  }
}

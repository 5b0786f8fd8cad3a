import { appendFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PostgresClusters } from '../../../local/postgres/clusters.ts';
import { type Database, databaseAt } from '../../functions/recovery/support/world.ts';
import { connect, makeCluster, Sandbox } from '../../local/postgres/support.ts';
import { waitFor } from '../../support/wait-for.ts';

const cluster = 'shard-a';
const cut = "primary_conninfo = ''";

/** A writer and its streaming standby, which can be made to lose what was committed. */
export class FragileDatabase {
  readonly database: Database;
  readonly #sandbox: Sandbox;
  readonly #clusters: PostgresClusters;

  private constructor(sandbox: Sandbox, clusters: PostgresClusters, database: Database) {
    this.#sandbox = sandbox;
    this.#clusters = clusters;
    this.database = database;
  }

  static async start(): Promise<FragileDatabase> {
    const sandbox = await Sandbox.create();
    const clusters = await sandbox.clusters({ restartAfterMs: 50, pointInTime: false });
    const { endpoint } = await makeCluster(clusters, cluster, 2);
    const database = databaseAt(endpoint, await readFile(clusters.authorityFile, 'utf8'), () =>
      sandbox.dispose(),
    );
    const fragile = new FragileDatabase(sandbox, clusters, database);
    for (const instance of [`${cluster}-2`, `${cluster}-1`]) {
      await fragile.#configure(instance, 'max_prepared_transactions = 20');
      await fragile.crash(instance);
    }
    return fragile;
  }

  close = () => this.database.close();

  get #state() {
    return this.#clusters.cluster(cluster).describe();
  }

  get writer(): string {
    const writer = this.#state.instances.find((instance) => instance.writer);
    if (writer === undefined) throw new Error('There is no writer.');
    return writer.identifier;
  }

  /** Kills a server without leaving it time to write anything, and waits until it is there again. */
  async crash(instance = this.writer): Promise<void> {
    const pid = this.#pidOf(instance);
    process.kill(pid, 'SIGQUIT');
    const isNew = async () => {
      const { pid: now } = this.#instance(instance);
      return now !== undefined && now !== pid;
    };
    await waitFor(isNew, { what: `${instance} to be started again`, intervalMs: 20 });
    await this.#answers();
  }

  /** Makes the standby the writer, without what was committed after `cutOff`. */
  async promote(): Promise<void> {
    const standby = this.#standby;
    // It is read again only once it is promoted; the next standby is a copy of it.
    const settings = join(await this.#directoryOf(standby), 'postgresql.auto.conf');
    await writeFile(settings, (await readFile(settings, 'utf8')).replaceAll(cut, ''));
    await this.#clusters.promote(cluster, standby);
    await this.#answers();
  }

  /** From here on the standby hears nothing of the writer any more. */
  async cutOff(): Promise<void> {
    const owner = await this.database.asOwner();
    const standing = async () => {
      const { rows: written } = await owner.query<{ lsn: string }>('SELECT pg_current_wal_lsn() AS lsn');
      const standby = await this.#connect(this.#standby).catch(() => undefined);
      const sql = 'SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn AS level FROM pg_stat_wal_receiver';
      const { rows = [] } = (await standby?.query(sql, [written[0]?.lsn]).catch(() => undefined)) ?? {};
      await standby?.end();
      return rows[0]?.level === true;
    };
    await waitFor(standing, { what: 'the standby to have all', intervalMs: 50 });
    const standby = this.#standby;
    await this.#configure(standby, cut);
    process.kill(this.#pidOf(standby), 'SIGHUP');
    const alone = async () => (await owner.query('SELECT FROM pg_stat_replication')).rowCount === 0;
    await waitFor(alone, { what: 'the standby to be cut off', intervalMs: 50 });
    await owner.end();
  }

  get #standby(): string {
    const standby = this.#state.instances.find(({ identifier }) => identifier !== this.writer);
    if (standby === undefined) throw new Error('There is no standby.');
    return standby.identifier;
  }

  async #connect(instance: string) {
    const ca = await readFile(this.#clusters.authorityFile, 'utf8');
    return connect(this.#instance(instance).endpoint, { ca });
  }

  #instance(identifier: string) {
    const instance = this.#state.instances.find((each) => each.identifier === identifier);
    if (instance === undefined) throw new Error(`There is no ${identifier}.`);
    return instance;
  }

  #pidOf(identifier: string): number {
    const { pid } = this.#instance(identifier);
    if (pid === undefined) throw new Error(`${identifier} does not run.`);
    return pid;
  }

  async #answers(): Promise<void> {
    const answers = async () => {
      const owner = await this.database.asOwner().catch(() => undefined);
      const { rows = [] } =
        (await owner?.query('SELECT pg_is_in_recovery() AS standby').catch(() => undefined)) ?? {};
      await owner?.end();
      return rows[0]?.standby === false;
    };
    await waitFor(answers, { what: 'a writer to answer', intervalMs: 50 });
  }

  async #configure(instance: string, line: string): Promise<void> {
    await appendFile(join(await this.#directoryOf(instance), 'postgresql.auto.conf'), `\n${line}\n`);
  }

  async #directoryOf(instance: string): Promise<string> {
    const all = await readdir(this.#sandbox.stateDirectory, { recursive: true });
    const found = all.filter(
      (path) => path.endsWith('/postgresql.auto.conf') && path.split('/').includes(instance),
    );
    const [only] = found;
    if (only === undefined || found.length > 1)
      throw new Error(`${instance} is at ${found.join(', ') || 'no place'}`);
    return join(this.#sandbox.stateDirectory, only, '..');
  }
}

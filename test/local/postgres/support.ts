import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { PostgresClusters, type PostgresClustersOptions } from '../../../local/postgres/clusters.ts';
import type { Address } from '../../../local/postgres/description.ts';
import { discardClusters } from '../../../local/postgres/home.ts';
import { processStartTime } from '../../../local/process-identity.ts';

const run = promisify(execFile);

export const master = { username: 'mainstay_master', password: 'correct horse: 100% "staple"' };
export const database = 'platform';

/** A directory for one test file, which checks at the end that nothing is left of it. */
export class Sandbox {
  readonly directory: string;
  readonly #started: PostgresClusters[] = [];

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async create(parent = tmpdir()): Promise<Sandbox> {
    const directory = await mkdtemp(join(parent, 'mainstay-test-'));
    // PostgreSQL's own user has to get through when root runs the tests.
    await chmod(directory, 0o711);
    return new Sandbox(directory);
  }

  get stateDirectory(): string {
    return join(this.directory, 'state');
  }

  async clusters(options: Partial<PostgresClustersOptions> = {}): Promise<PostgresClusters> {
    const clusters = new PostgresClusters({
      stateDirectory: this.stateDirectory,
      checkToken: () => {
        throw new Error('nobody may');
      },
      // Few ask for it, and all would pay.
      pointInTime: false,
      ...options,
    });
    this.#started.push(clusters);
    await clusters.start();
    return clusters;
  }

  /** Stops what still runs and removes the directory. */
  async dispose(): Promise<void> {
    for (const clusters of this.#started) await clusters.stop();
    await discardClusters(this.stateDirectory);
    await rm(this.directory, { recursive: true, force: true });
  }

  processes(): Promise<number[]> {
    return processesNaming(this.directory);
  }
}

/** One cluster with so many instances: `<identifier>-1` is the writer. */
export async function makeCluster(clusters: PostgresClusters, identifier: string, instances: number) {
  const { username: masterUsername, password: masterPassword } = master;
  await clusters.ensureCluster({ identifier, name: identifier, database, masterUsername, masterPassword });
  for (let number = 1; number <= instances; number += 1) {
    await clusters.ensureInstance({ cluster: identifier, identifier: `${identifier}-${number}` });
  }
  return clusters.cluster(identifier).describe();
}

export interface Login {
  user?: string;
  password?: string;
  database?: string;
  applicationName?: string;
  /** PEM of the authority to trust; false: no TLS. */
  ca: string | false;
}

/** Connects to an endpoint, by default as the master user. The caller ends the connection. */
export async function connect({ host, port }: Address, login: Login): Promise<pg.Client> {
  const client = new pg.Client({
    host,
    port,
    user: login.user ?? master.username,
    password: login.password ?? master.password,
    database: login.database ?? database,
    ssl: login.ca === false ? false : { ca: login.ca },
    connectionTimeoutMillis: 20_000,
    ...(login.applicationName !== undefined && { application_name: login.applicationName }),
  });
  client.on('error', () => {});
  await client.connect();
  return client;
}

/** Runs one statement on a connection of its own. */
export async function query(
  address: Address,
  login: Login,
  text: string,
): Promise<Record<string, unknown>[]> {
  const client = await connect(address, login);
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

/** Process ids of all processes whose command line names a directory. */
export async function processesNaming(directory: string): Promise<number[]> {
  if (process.platform !== 'linux') {
    const { stdout } = await run('ps', ['-axww', '-o', 'pid=,command=']);
    return stdout
      .split('\n')
      .filter((line) => line.includes(directory))
      .map((line) => Number.parseInt(line, 10));
  }
  const found: number[] = [];
  for (const pid of (await readdir('/proc')).map(Number).filter((pid) => pid > 0 && pid !== process.pid)) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (command.includes(directory)) found.push(pid);
  }
  return found;
}

/** Whether something listens there. */
export function listens({ host, port }: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectSocket({ host, port });
    const done = (result: boolean) => {
      socket.destroy();
      resolve(result);
    };
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
  });
}

/** Waits until a condition holds; fails the test with its name otherwise. */
export async function until(what: string, condition: () => boolean | Promise<boolean>, timeoutMs = 20_000) {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`Waited in vain until ${what}`);
    await sleep(20);
  }
}

/** Whether a process runs; one that has ended and only waits to be reaped does not. */
export async function isAlive(pid: number): Promise<boolean> {
  return (await processStartTime(pid)) !== undefined;
}

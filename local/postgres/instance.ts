import {
  appendFile,
  chown,
  mkdir,
  open,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AdminConnection } from './admin.ts';
import type { PostgresHome } from './home.ts';
import { clearLeftovers } from './orphans.ts';
import type { OsUser } from './os-user.ts';
import { isHalted, signalTree } from './process-tree.ts';
import {
  accessConfiguration,
  initdbArguments,
  type Recovery,
  serverConfiguration,
  socketName,
} from './settings.ts';
import type { SocketDirectories } from './socket-directories.ts';
import type { Exit, SupervisedProcess, Supervisor } from './supervisor.ts';
import { waitUntil } from './wait.ts';

/** How long PostgreSQL may take to accept connections, crash recovery included, in milliseconds. */
const startPatienceMs = 60_000;
/** How long a fast shutdown may take before an immediate one, in milliseconds. */
const stopPatienceMs = 10_000;
/** How long an immediate shutdown may take before everything is killed, in milliseconds. */
const killPatienceMs = 5000;
/** How long the runtime's own connection may take to close, in milliseconds: a server that hangs does not answer. */
const closePatienceMs = 1000;
/** A log file is moved aside when it is larger, in bytes; one earlier part is kept. */
const longestLog = 10 * 1024 * 1024;

/** What the instances of one runtime share. */
export interface InstanceEnvironment {
  home: PostgresHome;
  supervisor: Supervisor;
  sockets: SocketDirectories;
  /** Where the servers find extensions; see {@link prepareExtensions}. */
  extensionControlPath: string;
  /** One log file per instance goes here. */
  logDirectory: string;
}

/** How an instance is to run. */
export interface StartOptions {
  forceSsl: boolean;
  /** The instance to follow; undefined: the instance is a primary. */
  primary: Instance | undefined;
  /** Where it archives its log to, as a primary; default: nowhere. */
  archiveDirectory?: string | undefined;
  /** Set for a server that recovers from an archive and then ends. */
  recovery?: Recovery | undefined;
  /** Whether its commits wait for a standby; default false. */
  synchronous?: boolean | undefined;
}

/** One PostgreSQL server: a data directory, and the process that runs in it. */
export class Instance {
  readonly identifier: string;
  readonly dataDirectory: string;
  readonly logFile: string;
  /** Called when the server ends without having been told to. */
  onCrash: () => void = () => {};
  readonly #environment: InstanceEnvironment;
  #process: SupervisedProcess | undefined;
  #admin: AdminConnection | undefined;

  constructor(identifier: string, environment: InstanceEnvironment) {
    this.identifier = identifier;
    this.#environment = environment;
    this.dataDirectory = join(environment.home.dataDirectory, identifier);
    this.logFile = join(environment.logDirectory, `${identifier}.log`);
  }

  /** Process id of the postmaster while it runs. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  get running(): boolean {
    return this.#process !== undefined;
  }

  /** The directory to reach the socket by. */
  socketDirectory(): Promise<string> {
    return this.#environment.sockets.pathOf(this.dataDirectory);
  }

  /** The socket to relay connections to. */
  async socketPath(): Promise<string> {
    return join(await this.socketDirectory(), socketName);
  }

  /** The superuser's connection. @throws when the instance does not run. */
  get admin(): AdminConnection {
    if (this.#admin === undefined) throw new Error(`The instance ${this.identifier} does not run.`);
    return this.#admin;
  }

  /** Whether there is a data directory. */
  exists(): Promise<boolean> {
    return stat(join(this.dataDirectory, 'PG_VERSION')).then(
      () => true,
      () => false,
    );
  }

  /** Makes an empty database system, with an identity of its own. */
  async initialise(): Promise<void> {
    await this.replaceData(async (directory) => {
      const child = await this.#spawn('initdb', [`--pgdata=${directory}`, ...initdbArguments]);
      const { code, signal } = await child.exited;
      if (code !== 0) throw new Error(`initdb failed (${code ?? signal}). ${await this.endOfLog()}`);
    });
  }

  /** Lets `fill` fill an empty directory of the right owner, which then takes the place of the data. */
  async replaceData(fill: (directory: string, owner: OsUser | undefined) => Promise<void>): Promise<void> {
    const { user } = this.#environment.home;
    const directory = `${this.dataDirectory}.new`;
    await clearLeftovers(this.dataDirectory);
    await rm(directory, { recursive: true, force: true });
    await mkdir(directory, { mode: 0o700 });
    if (user !== undefined) await chown(directory, user.uid, user.gid);
    await fill(directory, user);
    await rm(this.dataDirectory, { recursive: true, force: true });
    await rename(directory, this.dataDirectory);
  }

  /**
   * Starts the server and waits until it accepts connections.
   *
   * @param options default: it starts as what it was when it ended.
   * @throws with the end of its log when it does not come up.
   */
  async start(options?: StartOptions): Promise<void> {
    await clearLeftovers(this.dataDirectory);
    if (options !== undefined) await this.configure(options);
    const child = await this.#spawn('postgres', ['-D', this.dataDirectory]);
    let ended: Exit | undefined;
    void child.exited.then((exit) => {
      ended = exit;
    });
    await waitUntil(
      async () => ended !== undefined || (await this.#isReady(child.pid)),
      startPatienceMs,
      `PostgreSQL ${this.identifier} to accept connections`,
    );
    if (ended !== undefined) throw new Error(`PostgreSQL ${this.identifier} ended. ${await this.endOfLog()}`);
    this.#admin = new AdminConnection(await this.socketDirectory());
    this.#process = child;
    void child.exited.then(async () => {
      if (this.#process !== child) return;
      this.#process = undefined;
      await this.#closeAdmin();
      this.onCrash();
    });
  }

  /** Writes the configuration files; a server that runs takes them over with {@link reload}. */
  async configure(options: StartOptions): Promise<void> {
    const { forceSsl, primary, archiveDirectory, recovery, synchronous } = options;
    const primarySocketDirectory = await primary?.socketDirectory();
    const { extensionControlPath } = this.#environment;
    const settings = {
      instance: this.identifier,
      ...{ forceSsl, extensionControlPath, primarySocketDirectory, archiveDirectory, recovery, synchronous },
    };
    await this.#write('postgresql.conf', serverConfiguration(settings));
    await this.#write('pg_hba.conf', accessConfiguration);
    if (primary === undefined) await rm(join(this.dataDirectory, 'standby.signal'), { force: true });
    else await this.#write('standby.signal', '');
    if (recovery === undefined) await rm(join(this.dataDirectory, 'recovery.signal'), { force: true });
    else await this.#write('recovery.signal', '');
  }

  reload(): void {
    this.#process?.signal('SIGHUP');
  }

  /** Whether it, or a part of it, has been halted: whoever talks to it waits for ever. */
  async isHalted(): Promise<boolean> {
    return this.#process !== undefined && isHalted(this.#process.pid);
  }

  /**
   * Sends a signal to all processes of the server, as a fault of its machine would.
   *
   * @param part text in the title of those it goes to, for example `walsender`; default: all.
   * @throws when there is no such process.
   */
  async signal(signal: NodeJS.Signals, part?: string): Promise<void> {
    const pid = this.#process?.pid;
    const reached = pid === undefined ? 0 : await signalTree(pid, signal, part);
    if (reached === 0) throw new Error(`The instance ${this.identifier} has no ${part ?? ''} process.`);
  }

  /**
   * Shuts the server down: clients are disconnected, everything is written. One that has been halted, or does not end, is killed.
   * Safe to call twice.
   *
   * @param patienceMs how long it may take to end in order, in milliseconds.
   */
  async stop(patienceMs = stopPatienceMs): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    this.#process = undefined;
    const kill = () => signalTree(child.pid, 'SIGKILL');
    if (await isHalted(child.pid)) await kill();
    await Promise.race([this.#closeAdmin(), sleep(closePatienceMs, undefined, { ref: false })]);
    child.signal('SIGINT');
    const impatience = [
      setTimeout(() => child.signal('SIGQUIT'), patienceMs),
      setTimeout(() => void kill(), patienceMs + killPatienceMs),
    ];
    await child.exited;
    for (const timer of impatience) clearTimeout(timer);
  }

  /** Gives the data of a server that does not run to another instance. */
  async giveDataTo(other: Instance): Promise<void> {
    await clearLeftovers(this.dataDirectory);
    await rm(other.dataDirectory, { recursive: true, force: true });
    await rename(this.dataDirectory, other.dataDirectory);
  }

  /** Removes the data. */
  async remove(): Promise<void> {
    await this.stop();
    await rm(this.dataDirectory, { recursive: true, force: true });
  }

  /** Adds a line to the server's log. */
  async log(line: string): Promise<void> {
    const text = `${new Date().toISOString()} [endpoint] ${line}\n`;
    await appendFile(this.logFile, text, { mode: 0o600 });
  }

  /** Moves a log that has become long aside. The server goes on writing to the same file. */
  async rotateLog(): Promise<void> {
    const size = await stat(this.logFile).then(
      (facts) => facts.size,
      () => 0,
    );
    if (size <= longestLog) return;
    const file = await open(this.logFile);
    await writeFile(`${this.logFile}.1`, file.createReadStream(), { mode: 0o600 });
    await truncate(this.logFile);
  }

  async #closeAdmin(): Promise<void> {
    const admin = this.#admin;
    this.#admin = undefined;
    await admin?.close();
  }

  async #isReady(pid: number): Promise<boolean> {
    const lock = await readFile(join(this.dataDirectory, 'postmaster.pid'), 'utf8').catch(() => '');
    const lines = lock.split('\n');
    return lines[0] === String(pid) && lines[7]?.trim() === 'ready';
  }

  #spawn(program: string, args: string[]): Promise<SupervisedProcess> {
    const { home, supervisor } = this.#environment;
    return supervisor.start({
      command: join(home.binDirectory, program),
      args,
      environment: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
      log: this.logFile,
      user: home.user,
    });
  }

  async #write(name: string, content: string): Promise<void> {
    const path = join(this.dataDirectory, name);
    await writeFile(path, content, { mode: 0o600 });
    const { user } = this.#environment.home;
    if (user !== undefined) await chown(path, user.uid, user.gid);
  }

  /** What the server said last, for messages. */
  async endOfLog(): Promise<string> {
    const log = await readFile(this.logFile, 'utf8').catch(() => '');
    return `Its log ends: ${log.trimEnd().split('\n').slice(-8).join('\n')}`;
  }
}

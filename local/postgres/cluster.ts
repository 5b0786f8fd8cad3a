import type { Row } from './admin.ts';
import type { RestorableWindow } from './archive.ts';
import type { ServerCertificate } from './certificates.ts';
import { ClusterArchive } from './cluster-archive.ts';
import { ClusterEndpoints } from './cluster-endpoints.ts';
import { type ClusterState, type InstanceState, newResourceId } from './cluster-state.ts';
import type { Conduct } from './conduct.ts';
import { type Activity, type ClusterDescription, describeCluster } from './description.ts';
import type { GlobalTies } from './global-database.ts';
import { Instance, type InstanceEnvironment } from './instance.ts';
import type { TokenCheck } from './proxy/backend.ts';
import type { Endpoint } from './proxy/endpoint.ts';
import { createRoles, setMasterPassword } from './roles.ts';
import { copyToStandby, isStreaming, promote } from './standby.ts';
import { restoreVolume, type VolumeSource } from './volume.ts';
import { WorkQueue } from './work-queue.ts';

/** How long a standby may take to begin to stream before it is copied anew, in milliseconds. */
const streamingPatienceMs = 15_000;

export interface ClusterEnvironment {
  instances: InstanceEnvironment;
  certificate: ServerCertificate;
  checkToken: TokenCheck;
  /** For example `18.4`. */
  engineVersion: string;
  /** How long a crashed server stays down, in milliseconds; see {@link PostgresClustersOptions}. */
  restartAfterMs: number;
  /** Whether clusters can be restored to points in time: their log is archived, and base backups are taken. */
  pointInTime: boolean;
  /** What ties clusters to the others of their global database. */
  global: GlobalTies;
  /** Stores the state of all clusters. */
  save(): Promise<void>;
  /** Called when a process or a role changed. */
  changed(): void;
  report(message: string): void;
}

/** One cluster: a primary, its standbys, and the endpoints to reach them by. */
export class Cluster {
  readonly state: ClusterState;
  readonly #environment: ClusterEnvironment;
  readonly #instances = new Map<string, Instance>();
  readonly #activities = new Map<string, Activity>();
  readonly #endpoints: ClusterEndpoints;
  readonly #work: WorkQueue;
  readonly #archive: ClusterArchive | undefined;
  #nextReader = 0;
  #runningVolume: Instance | undefined;

  constructor(state: ClusterState, environment: ClusterEnvironment) {
    this.state = state;
    this.#environment = environment;
    this.#work = new WorkQueue(environment.report);
    if (environment.pointInTime) {
      this.#archive = new ClusterArchive({
        ...{ state, home: environment.instances.home, work: this.#work, report: environment.report },
        writer: () => (this.secondary ? undefined : this.head),
        data: () => this.head ?? this.#volume(),
      });
    }
    this.#endpoints = new ClusterEndpoints({
      certificate: environment.certificate,
      resourceId: state.resourceId,
      checkToken: (claim) => {
        if (!state.iamAuthentication) throw new Error('IAM authentication is off for this cluster');
        return environment.checkToken({ ...claim, region: state.region });
      },
      forceSsl: () => state.forceSsl,
      portSeed: environment.instances.home.dataDirectory,
    });
  }

  /** Opens the cluster's endpoints, and starts its instances as an earlier run left them. */
  async start(): Promise<void> {
    await this.#archive?.prepare();
    await this.#openClusterEndpoints();
    for (const instance of this.state.instances) await this.#openInstance(instance);
    if (this.head === undefined) return;
    await Promise.all(
      this.state.instances
        .filter(({ identifier, rebuild }) => this.#isWriter(identifier) || !rebuild)
        .map(({ identifier }) => this.#startInstance(this.#required(identifier))),
    );
    await Promise.all(
      this.state.instances.filter(({ rebuild }) => rebuild).map((instance) => this.#rebuild(instance)),
    );
  }

  /** Adds an instance: the first one is the writer, with its database; every further one, and all of a secondary, are standbys. */
  addInstance(identifier: string): Promise<void> {
    return this.#work.run(async () => {
      if (this.state.instances.some((instance) => instance.identifier === identifier)) return;
      const state: InstanceState = {
        identifier,
        resourceId: newResourceId('db'),
        port: 0,
        createdAt: new Date().toISOString(),
        rebuild: false,
      };
      const instance = await this.#openInstance(state);
      try {
        if (this.state.writer === undefined && !this.secondary) await this.#makeWriter(instance);
        else await this.#makeStandby(instance);
      } catch (error) {
        await this.#endpoints.closeInstance(identifier);
        this.#instances.delete(identifier);
        await instance.remove();
        throw error;
      }
      this.state.instances.push(state);
      this.state.writer ??= identifier;
      await this.#environment.save();
      this.#environment.changed();
    });
  }

  /**
   * Makes a standby the writer. A writer that still runs is shut down first, so that nothing is lost; one that has been halted is
   * killed. Resolves when the new writer accepts writes; the old one comes back as a standby afterwards.
   *
   * @throws for a cluster that nobody manages, one whose writer is in another cluster, and a standby that does not run.
   */
  promote(identifier: string): Promise<void> {
    return this.#work.run(async () => {
      const target = this.#required(identifier);
      const old = this.#required(this.state.writer ?? '');
      if (this.selfManaged)
        throw new Error(`Nobody manages ${this.state.identifier}: it is promoted by SQL.`);
      if (this.secondary) throw new Error(`The writer of ${this.state.identifier} is in another cluster.`);
      if (target === old) return;
      if (!target.running || (await target.isHalted())) {
        throw new Error(`The instance ${identifier} does not run.`);
      }
      this.#activities.set(old.identifier, 'rebooting');
      await old.stop();
      const oldState = this.#stateOf(old);
      this.state.writer = identifier;
      oldState.rebuild = true;
      await this.#environment.save();
      await this.#beginWriting(target);
      this.#work.runInBackground(() => this.#rebuild(oldState), `rebuild ${old.identifier}`);
    });
  }

  /** Whether its writer is in another cluster of its global database. */
  get secondary(): boolean {
    return this.state.global?.primary === false;
  }

  /** The writer; of a secondary, the instance that becomes it first. */
  get head(): Instance | undefined {
    return this.#instance(this.state.writer);
  }

  /** The instances whose data are of use, the head first. */
  get current(): Instance[] {
    return this.state.instances
      .filter(({ rebuild }) => !rebuild)
      .map(({ identifier }) => this.#required(identifier))
      .sort((a, b) => Number(b === this.head) - Number(a === this.head));
  }

  /** Does `work` while nothing else is done with the cluster. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    return this.#work.run(work);
  }

  /** Stores that it is the primary of its global database now, and makes its head the writer. */
  takeOver(): Promise<void> {
    return this.#work.run(async () => {
      await this.#environment.save();
      await this.#beginWriting(this.#required(this.state.writer ?? ''));
    });
  }

  /** Has all instances follow the writer in another cluster from now on, as new copies where they cannot go on: in the background. */
  follow(): void {
    for (const state of this.state.instances) {
      if (state.rebuild) this.#activities.set(state.identifier, 'rebooting');
      this.#work.runInBackground(async () => {
        const instance = this.#instance(state.identifier);
        if (!this.secondary || instance === undefined) return;
        if (state.rebuild) return this.#rebuild(state);
        if (!instance.running) return;
        await instance.configure(this.#startOptions(instance));
        instance.reload();
        await this.#checkStreaming(instance);
      }, `have ${state.identifier} follow`);
    }
  }

  /**
   * Removes an instance and its data. A writer hands over to a reader first; with the last instance the data stay, as the
   * volume of a cluster of Aurora does. A secondary's come from the primary again.
   */
  async removeInstance(identifier: string): Promise<void> {
    const successor = this.state.instances.find((other) => other.identifier !== identifier);
    if (identifier === this.state.writer && successor !== undefined && !this.secondary) {
      await this.promote(successor.identifier);
    }
    await this.#work.run(async () => {
      const instance = this.#instances.get(identifier);
      if (instance === undefined) return;
      await this.#endpoints.closeInstance(identifier);
      await instance.stop();
      if (this.#isWriter(identifier)) {
        await instance.giveDataTo(this.#volume());
        this.state.volume = { state: 'available' };
        this.state.writer = undefined;
      } else {
        await instance.remove();
        if (identifier === this.state.writer) this.state.writer = successor?.identifier;
      }
      this.#instances.delete(identifier);
      this.state.instances = this.state.instances.filter((other) => other.identifier !== identifier);
      await this.#environment.save();
      this.#environment.changed();
    });
  }

  /**
   * Fills this cluster, which has no instance yet, with another one's data, as of the time that its state names.
   * Whether that worked is in its status afterwards.
   */
  restoreFrom(source: Cluster): void {
    this.#work.runInBackground(async () => {
      const { volume } = this.state;
      if (volume?.state !== 'creating') return;
      try {
        const time = volume.time === undefined ? undefined : Date.parse(volume.time);
        await restoreVolume(this.#volume(), await source.volumeSource(), time);
        volume.state = 'available';
      } catch (error) {
        // What was cut short by a stop goes on at the next start.
        if (this.#work.closed) return;
        volume.state = 'failed';
        throw error;
      } finally {
        await this.#environment.save();
        this.#environment.changed();
      }
    }, `restore ${this.state.identifier}`);
  }

  /** All that a restore needs of this cluster, up to now. @throws when it has no archive. */
  async volumeSource(): Promise<VolumeSource> {
    if (this.#archive !== undefined) return this.#archive.source();
    throw new Error(`The cluster ${this.state.identifier} archives nothing.`);
  }

  /** The times that this cluster can be restored to; undefined before its first base backup, and while it is a secondary. */
  restorable(): RestorableWindow | undefined {
    return this.secondary ? undefined : this.#archive?.window();
  }

  /** Takes a base backup if one is due; `now`: in any case. */
  async maintainArchive(now = false): Promise<void> {
    await this.#archive?.maintain(now);
  }

  /** Whether nobody manages the cluster; see {@link Conduct}. */
  get selfManaged(): boolean {
    return this.state.conduct?.selfManaged === true;
  }

  /** Changes how the cluster behaves; what is not named stays as it is. */
  setConduct(change: Conduct): Promise<void> {
    return this.#work.run(async () => {
      this.state.conduct = { ...this.state.conduct, ...change };
      await this.#environment.save();
      await this.#reconfigureWriter();
    });
  }

  /** Sends a signal to all processes of an instance, or to some; see {@link Instance.signal}. */
  signal(identifier: string, signal: NodeJS.Signals, part?: string): Promise<void> {
    return this.#required(identifier).signal(signal, part);
  }

  /**
   * Runs statements on an instance of a cluster that nobody manages, as its administrator: a superuser, which no managed one has.
   *
   * @throws for a managed cluster.
   */
  async administer(identifier: string, sql: string, database = this.state.database): Promise<Row[]> {
    if (!this.selfManaged)
      throw new Error(`${this.state.identifier} is managed: nobody is its administrator.`);
    return this.#required(identifier).admin.withDatabase(database, async (client) => {
      const results = [await client.query<Row>(sql)].flat();
      return results.at(-1)?.rows ?? [];
    });
  }

  /**
   * Makes an instance of a cluster that nobody manages a standby again, as its administrator would: a new copy of the instance that
   * is the primary by now. Starts it when it does not run.
   */
  rejoin(identifier: string, primary: string): Promise<void> {
    return this.#work.run(async () => {
      if (!this.selfManaged) throw new Error(`${this.state.identifier} is managed: it rejoins by itself.`);
      const state = this.#stateOf(this.#required(identifier));
      this.state.writer = this.#required(primary).identifier;
      state.rebuild = true;
      await this.#environment.save();
      await this.#rebuild(state);
    });
  }

  /** Starts an instance that does not run. */
  startInstance(identifier: string): Promise<void> {
    return this.#work.run(async () => {
      const instance = this.#required(identifier);
      if (!instance.running) await this.#startInstance(instance);
    });
  }

  /** Waits until everything asked for before has been done, rebuilt standbys included. */
  async settled(): Promise<void> {
    await this.#work.run(async () => {});
  }

  async setMasterPassword(password: string): Promise<void> {
    const writer = this.#required(this.state.writer ?? '');
    await setMasterPassword(writer, { username: this.state.masterUsername, password });
    this.state.masterPassword = password;
  }

  /** Stops the instances and closes the endpoints. Safe to call twice. */
  async stop(): Promise<void> {
    const working = this.#work.close();
    await this.#runningVolume?.stop();
    await Promise.all([working, this.#archive?.settled()]);
    await this.#endpoints.closeAll();
    await Promise.all([...this.#instances.values()].map((instance) => instance.stop()));
  }

  /** Stops the cluster and removes its data. */
  async remove(): Promise<void> {
    await this.stop();
    for (const instance of this.#instances.values()) await instance.remove();
    await this.#volume().remove();
    await this.#archive?.remove();
  }

  async rotateLogs(): Promise<void> {
    for (const instance of this.#instances.values()) await instance.rotateLog();
  }

  /** The endpoint with a name: `writer`, `reader`, or an instance's identifier. */
  endpoint(name: string): Endpoint | undefined {
    return this.#endpoints.get(name);
  }

  describe(): ClusterDescription {
    return describeCluster(this.state, {
      engineVersion: this.#environment.engineVersion,
      readerEndpoint: this.#endpoints.get('reader'),
      pidOf: (identifier) => this.#instances.get(identifier)?.pid,
      activityOf: (identifier) => this.#activities.get(identifier),
    });
  }

  async #openClusterEndpoints(): Promise<void> {
    const writer = () => {
      if (this.secondary) throw new Error(`The writer of ${this.state.identifier} is in another cluster.`);
      return this.#required(this.state.writer ?? '');
    };
    const { port } = await this.#endpoints.openCluster(this.state.port, writer, () => this.#chooseReader());
    this.state.port = port;
  }

  async #openInstance(state: InstanceState): Promise<Instance> {
    const instance = new Instance(state.identifier, this.#environment.instances);
    instance.onCrash = () => this.#crashed(instance);
    this.#instances.set(state.identifier, instance);
    const { port } = await this.#endpoints.openInstance(state.identifier, state.port, () => instance);
    state.port = port;
    return instance;
  }

  #chooseReader(): Instance {
    const readers = [...this.#instances.values()].filter(
      ({ identifier, running }) => running && !this.#isWriter(identifier),
    );
    this.#nextReader += 1;
    // Without a reader, the reader endpoint leads to the writer, as on Aurora.
    return readers[this.#nextReader % readers.length] ?? this.#required(this.state.writer ?? '');
  }

  async #makeWriter(instance: Instance): Promise<void> {
    const { masterUsername: username, masterPassword: password, database } = this.state;
    const { volume } = this.state;
    if (volume !== undefined) {
      if (volume.state !== 'available') throw new Error(`The cluster's data are ${volume.state}.`);
      await this.#volume().giveDataTo(instance);
      try {
        await instance.start(this.#startOptions(instance));
      } catch (error) {
        await instance.giveDataTo(this.#volume());
        throw error;
      }
      this.state.volume = undefined;
      return;
    }
    await instance.initialise();
    await instance.start(this.#startOptions(instance));
    await createRoles(instance, { username, password }, database);
  }

  /** Has a standby take writes, and those that are left follow it. */
  async #beginWriting(target: Instance): Promise<void> {
    await promote(target);
    await this.#archive?.beginAnew();
    await target.configure(this.#startOptions(target));
    for (const other of this.#instances.values()) {
      if (other === target || !other.running) continue;
      await other.configure(this.#startOptions(other));
      other.reload();
    }
    this.#environment.changed();
    this.#environment.global.writerChanged(this.state);
  }

  async #makeStandby(instance: Instance): Promise<void> {
    const writer = this.#source();
    await instance.stop();
    await copyToStandby(writer, instance);
    await instance.start(this.#startOptions(instance));
    if (!(await isStreaming(instance, streamingPatienceMs, this.#work.signal))) {
      throw new Error(`The standby ${instance.identifier} does not stream from ${writer.identifier}.`);
    }
  }

  async #rebuild(state: InstanceState): Promise<void> {
    const instance = this.#required(state.identifier);
    this.#activities.set(state.identifier, 'rebooting');
    await this.#makeStandby(instance);
    state.rebuild = false;
    this.#activities.delete(state.identifier);
    await this.#reconfigureWriter();
    await this.#environment.save();
    this.#environment.changed();
  }

  async #startInstance(instance: Instance): Promise<void> {
    if (!(await instance.exists())) {
      throw new Error(
        `The data of ${instance.identifier} are gone (${instance.dataDirectory}); start with --fresh.`,
      );
    }
    this.#activities.set(instance.identifier, 'starting');
    await instance.start(this.selfManaged ? undefined : this.#startOptions(instance));
    this.#activities.delete(instance.identifier);
    this.#environment.changed();
    if (this.#isWriter(instance.identifier)) {
      // What was to be copied from it while it was away is waiting.
      this.#environment.global.writerChanged(this.state);
    } else if (!this.selfManaged) {
      this.#work.runInBackground(() => this.#checkStreaming(instance), `check ${instance.identifier}`);
    }
  }

  /** A standby that was away for so long that the writer's log does not reach back is copied anew. */
  async #checkStreaming(instance: Instance): Promise<void> {
    const writer = this.#source();
    // Whoever asks a server that has been halted waits for ever.
    if (!instance.running || !writer.running || (await instance.isHalted())) return;
    const streaming = await isStreaming(instance, streamingPatienceMs, this.#work.signal);
    if (streaming || this.#work.closed || !writer.running || (await writer.isHalted())) return;
    await this.#rebuild(this.#stateOf(instance));
  }

  #crashed(instance: Instance): void {
    if (this.#work.closed) return;
    this.#activities.set(instance.identifier, 'failed');
    this.#environment.report(
      `PostgreSQL ${instance.identifier} ended unexpectedly; its log is ${instance.logFile}.`,
    );
    this.#environment.changed();
    const { restartAfterMs = this.#environment.restartAfterMs } = this.state.conduct ?? {};
    if (restartAfterMs === null) return;
    const restart = setTimeout(() => {
      this.#work.runInBackground(async () => {
        if (!instance.running && !this.#stateOf(instance).rebuild) await this.#startInstance(instance);
      }, `restart ${instance.identifier}`);
    }, restartAfterMs);
    restart.unref();
  }

  #startOptions(instance: Instance) {
    const isWriter =
      !this.secondary && (this.state.writer === undefined || instance.identifier === this.state.writer);
    const primary = isWriter ? undefined : this.#source();
    const archiveDirectory = this.selfManaged ? undefined : this.#archive?.log;
    const hasStandby = this.state.instances.some(
      (other) => other.identifier !== instance.identifier && !other.rebuild,
    );
    const synchronous = isWriter && hasStandby && this.state.conduct?.synchronous === true;
    return { forceSsl: this.state.forceSsl, primary, archiveDirectory, synchronous };
  }

  /** Has the writer take over what has changed for it. */
  async #reconfigureWriter(): Promise<void> {
    const writer = this.head;
    if (this.secondary || writer?.running !== true) return;
    await writer.configure(this.#startOptions(writer));
    writer.reload();
  }

  /** The place of the data while there is no instance. No instance's identifier has a dot. */
  #volume(): Instance {
    this.#runningVolume ??= new Instance(`${this.state.identifier}.volume`, this.#environment.instances);
    return this.#runningVolume;
  }

  #isWriter(identifier: string): boolean {
    return identifier === this.state.writer && !this.secondary;
  }

  /** The server that standbys follow. @throws when there is none. */
  #source(): Instance {
    return this.secondary
      ? this.#environment.global.writerFor(this.state)
      : this.#required(this.state.writer ?? '');
  }

  #instance(identifier: string | undefined): Instance | undefined {
    return identifier === undefined ? undefined : this.#instances.get(identifier);
  }

  #required(identifier: string): Instance {
    const instance = this.#instances.get(identifier);
    if (instance === undefined)
      throw new Error(`The cluster ${this.state.identifier} has no instance ${identifier}.`);
    return instance;
  }

  #stateOf(instance: Instance): InstanceState {
    const state = this.state.instances.find(({ identifier }) => identifier === instance.identifier);
    if (state === undefined) throw new Error(`The instance ${instance.identifier} is not known.`);
    return state;
  }
}

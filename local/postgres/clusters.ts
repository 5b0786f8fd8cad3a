import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { StateFile } from '../aws/state-file.ts';
import type { Service } from '../service.ts';
import { findBinaries } from './binaries.ts';
import { type ServerCertificate, serverCertificate } from './certificates.ts';
import { Cluster, type ClusterEnvironment } from './cluster.ts';
import { endpointNames, writerHost } from './cluster-endpoints.ts';
import { type ClustersState, clustersSchema, newResourceId } from './cluster-state.ts';
import type { ClusterDescription, LocalDatabase, LocalServer } from './description.ts';
import { prepareExtensions } from './extensions.ts';
import { GlobalDatabases } from './global-database.ts';
import { postgresDirectory, prepareHome, supervisorOf } from './home.ts';
import type { TokenCheck } from './proxy/backend.ts';
import type { Condition } from './proxy/traffic.ts';
import { SocketDirectories } from './socket-directories.ts';
import type { Supervisor } from './supervisor.ts';

export interface PostgresClustersOptions {
  /** The runtime's state directory; everything is kept in its `postgres` directory. */
  stateDirectory: string;
  /** One log file per instance goes here; default `logs` in the state directory. */
  logDirectory?: string;
  /** Decides over clients that present IAM tokens. */
  checkToken: TokenCheck;
  /**
   * How long a server that crashed stays down before it is started again, in milliseconds, as long as
   * nothing else has been promoted. Default 10 000: time enough to notice, and to fail over.
   */
  restartAfterMs?: number;
  /**
   * Whether clusters can be restored to points in time. Default true: their log is archived, and base backups are taken in
   * the background.
   */
  pointInTime?: boolean;
  /** How often it is looked whether a base backup is due, in milliseconds. Default 5 000. */
  maintenanceIntervalMs?: number;
  /** Called when a process id, a port or a role has changed. */
  onChange?: () => void;
  /** Takes messages for the person at the keyboard. Default: nobody is told. */
  report?: (message: string) => void;
  /** A PostgreSQL installation in place of the one from npm. */
  nativeDirectory?: string;
  /** Parent of the private directory for data that cannot stay in the state directory. */
  relocateTo?: string;
}

export interface ClusterRequest {
  identifier: string;
  /** What the platform calls it, for example the shard's name. */
  name?: string;
  /** The first database, owned by the master user. */
  database: string;
  masterUsername: string;
  masterPassword: string;
  /** Whether connections without TLS are refused. Default true. */
  forceSsl?: boolean;
  /** Whether roles with `rds_iam` may connect. Default true. */
  iamAuthentication?: boolean;
  /** The region it is said to be in. Default: the runtime's. */
  region?: string;
  /**
   * Identifier of a global database to join: the first cluster is its primary; each further one is a secondary in another region, whose
   * database and users are the primary's. Default: none.
   */
  global?: string;
}

interface Running {
  state: StateFile<ClustersState>;
  supervisor: Supervisor;
  sockets: SocketDirectories;
  environment: ClusterEnvironment;
  certificate: ServerCertificate;
  logRotation: NodeJS.Timeout;
  maintenance: NodeJS.Timeout;
}

const rotationIntervalMs = 30_000;
const maintenanceIntervalMs = 5_000;

/** Aurora PostgreSQL on this machine: clusters of real PostgreSQL servers behind their endpoints. */
export class PostgresClusters implements Service {
  readonly name = 'PostgreSQL';
  /** The global databases that clusters are members of. */
  readonly globals: GlobalDatabases;
  readonly #options: PostgresClustersOptions;
  readonly #clusters = new Map<string, Cluster>();
  #running: Running | undefined;

  constructor(options: PostgresClustersOptions) {
    this.#options = options;
    this.globals = new GlobalDatabases(() => this.#clusters.values());
  }

  /** Starts the clusters that an earlier run left, in the state it left them in, however it ended. */
  async start(): Promise<void> {
    const { stateDirectory, nativeDirectory, relocateTo, logDirectory } = this.#options;
    const own = postgresDirectory(stateDirectory);
    const binaries = await findBinaries(nativeDirectory);
    const supervisor = supervisorOf(stateDirectory);
    await supervisor.waitForEarlier();
    const home = await prepareHome(stateDirectory, binaries, relocateTo);
    const extensionControlPath = await prepareExtensions(home);
    const sockets = new SocketDirectories(join(own, 'sockets'));
    await sockets.dispose();
    const certificate = await serverCertificate(join(own, 'tls'), endpointNames);
    const logs = logDirectory ?? join(stateDirectory, 'logs');
    await mkdir(logs, { recursive: true });
    const state = new StateFile(join(own, 'clusters.json'), clustersSchema, { version: 1, clusters: [] });
    this.#running = {
      state,
      supervisor,
      sockets,
      certificate,
      environment: {
        instances: { home, supervisor, sockets, extensionControlPath, logDirectory: logs },
        certificate,
        checkToken: this.#options.checkToken,
        engineVersion: binaries.version,
        restartAfterMs: this.#options.restartAfterMs ?? 10_000,
        pointInTime: this.#options.pointInTime ?? true,
        global: this.globals,
        save: () => state.save(),
        changed: () => this.#options.onChange?.(),
        report: this.#options.report ?? (() => {}),
      },
      logRotation: setInterval(() => void this.#rotateLogs(), rotationIntervalMs).unref(),
      maintenance: setInterval(
        () => void this.#maintainArchives(),
        this.#options.maintenanceIntervalMs ?? maintenanceIntervalMs,
      ).unref(),
    };
    await this.#rotateLogs();
    for (const cluster of state.state.clusters) this.#add(cluster);
    const all = [...this.#clusters.values()];
    await Promise.all(all.filter(({ secondary }) => !secondary).map((cluster) => cluster.start()));
    // They follow servers of the others.
    await Promise.all(all.filter(({ secondary }) => secondary).map((cluster) => cluster.start()));
    await state.save();
    // Restores that were cut short.
    for (const cluster of this.#clusters.values()) this.#fill(cluster);
  }

  async stop(): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    this.#running = undefined;
    clearInterval(running.logRotation);
    clearInterval(running.maintenance);
    await this.globals.settled();
    await Promise.all([...this.#clusters.values()].map((cluster) => cluster.stop()));
    this.#clusters.clear();
    await running.supervisor.stop();
    await running.sockets.dispose();
  }

  /** Path of the certificate that clients have to trust, in PEM. */
  get authorityFile(): string {
    return this.certificate.authorityFile;
  }

  /** The certificate of the endpoints, which everything that serves this machine's loopback addresses may use. */
  get certificate(): ServerCertificate {
    return this.#required().certificate;
  }

  /**
   * Creates a cluster, or brings an existing one in line with the request. Like a cluster of RDS it
   * has endpoints at once, and answers when it has an instance.
   *
   * @throws for an existing cluster in another region or global database, and for a second one of a global database in a region.
   */
  async ensureCluster(request: ClusterRequest): Promise<ClusterDescription> {
    const { state } = this.#required();
    const { forceSsl = true, iamAuthentication = true, region, global: named, ...asked } = request;
    const global = named?.toLowerCase();
    const existing = this.#clusters.get(request.identifier);
    if (existing !== undefined) {
      const { state: present } = existing;
      if (
        present.region !== (region ?? present.region) ||
        present.global?.identifier !== (global ?? present.global?.identifier)
      ) {
        throw new Error(`The cluster ${request.identifier} is elsewhere already.`);
      }
      Object.assign(existing.state, { forceSsl, iamAuthentication });
      if (request.name !== undefined) existing.state.name = request.name;
      // A secondary's users are the primary's.
      if (!existing.secondary && existing.state.masterPassword !== request.masterPassword) {
        await existing.setMasterPassword(request.masterPassword);
        for (const member of this.globals.membersOf(present.global?.identifier ?? '')) {
          member.state.masterPassword = request.masterPassword;
        }
      }
      await state.save();
      return existing.describe();
    }
    const cluster = this.#add({
      ...asked,
      forceSsl,
      iamAuthentication,
      ...(region !== undefined && { region }),
      ...(global !== undefined && this.globals.joining(global, region)),
      resourceId: newResourceId('cluster'),
      port: 0,
      createdAt: new Date().toISOString(),
      instances: [],
    });
    await cluster.start();
    state.state.clusters.push(cluster.state);
    await state.save();
    return cluster.describe();
  }

  /** Adds an instance to a cluster: the first one is its writer, every further one a reader. All of a secondary are readers. */
  async ensureInstance(request: { cluster: string; identifier: string }): Promise<ClusterDescription> {
    const cluster = this.cluster(request.cluster);
    await cluster.addInstance(request.identifier);
    return cluster.describe();
  }

  /**
   * Makes a new cluster of another one's data as of a time. Like one of RDS it is there at once, `creating`, without
   * an instance; it has an address, a resource id and an archive of its own.
   *
   * @param time milliseconds since the epoch; undefined: now.
   */
  async restoreCluster(request: {
    identifier: string;
    source: string;
    time: number | undefined;
    iamAuthentication: boolean;
    /** The port to have if it is free. */
    port?: number;
  }): Promise<ClusterDescription> {
    const { state } = this.#required();
    const { name: _, writer: __, conduct: ___, global: ____, ...source } = this.cluster(request.source).state;
    const cluster = this.#add({
      ...source,
      identifier: request.identifier,
      iamAuthentication: request.iamAuthentication,
      restored: true,
      resourceId: newResourceId('cluster'),
      port: request.port ?? 0,
      createdAt: new Date().toISOString(),
      instances: [],
      volume: {
        state: 'creating',
        source: request.source,
        ...(request.time !== undefined && { time: new Date(request.time).toISOString() }),
      },
    });
    await cluster.start();
    state.state.clusters.push(cluster.state);
    await state.save();
    this.#fill(cluster);
    return cluster.describe();
  }

  /** Removes an instance; see {@link Cluster.removeInstance}. */
  async removeInstance(cluster: string, identifier: string): Promise<void> {
    await this.cluster(cluster).removeInstance(identifier);
  }

  /** Takes a base backup of every cluster now. */
  async takeBaseBackups(): Promise<void> {
    await Promise.all([...this.#clusters.values()].map((cluster) => cluster.maintainArchive(true)));
  }

  /** Stops a cluster and removes its data. @throws for the primary of a global database that has secondaries. */
  async removeCluster(identifier: string): Promise<void> {
    const { state } = this.#required();
    const cluster = this.#clusters.get(identifier);
    if (cluster === undefined) return;
    const { global } = cluster.state;
    if (global?.primary === true && this.globals.membersOf(global.identifier).length > 1) {
      throw new Error(`${identifier} is the primary of ${global.identifier}, which has other clusters.`);
    }
    this.#clusters.delete(identifier);
    state.state.clusters = state.state.clusters.filter((other) => other !== cluster.state);
    await state.save();
    await cluster.remove();
  }

  /** Makes a reader the writer; see {@link Cluster.promote}. */
  async promote(cluster: string, instance: string): Promise<void> {
    await this.cluster(cluster).promote(instance);
  }

  /** All clusters as they are now. */
  describe(): ClusterDescription[] {
    return [...this.#clusters.values()].map((cluster) => cluster.describe());
  }

  /** How programs of the person at the keyboard reach the databases; of a global one, the cluster that takes its writes. */
  describeForLocalJson(): LocalDatabase[] {
    const own = [...this.#clusters.values()].filter(
      ({ state, secondary }) => state.restored !== true && !secondary,
    );
    return own.map((cluster) => {
      const { name, identifier, instances } = cluster.describe();
      const servers = (writer: boolean): LocalServer[] =>
        instances
          .filter((instance) => instance.writer === writer)
          .map(({ endpoint, pid }) => ({ url: this.#url(cluster, endpoint.port), pid: pid ?? null }));
      const [writer = { url: this.#url(cluster, cluster.state.port), pid: null }] = servers(true);
      return { name, identifier, writer, readers: servers(false) };
    });
  }

  /** How to connect as a cluster's master user, by way of its writer endpoint. */
  masterUrl(identifier: string): string {
    const cluster = this.cluster(identifier);
    return this.#url(cluster, cluster.state.port);
  }

  /**
   * For tests of faults: how traffic fares through an endpoint (`writer`, `reader` or an instance's identifier).
   *
   * @param client only that of clients whose `application_name` holds this text, whatever holds for the others; default: all traffic.
   */
  setTraffic(cluster: string, endpoint: string, condition: Condition, client?: string): void {
    const found = this.cluster(cluster).endpoint(endpoint);
    if (found === undefined) throw new Error(`The cluster ${cluster} has no endpoint ${endpoint}.`);
    found.traffic.set(condition, client);
  }

  /** The cluster with an identifier. @throws when there is none. */
  cluster(identifier: string): Cluster {
    const cluster = this.#clusters.get(identifier);
    if (cluster === undefined) throw new Error(`There is no cluster ${identifier}.`);
    return cluster;
  }

  #fill(cluster: Cluster): void {
    const source = this.#clusters.get(cluster.state.volume?.source ?? '');
    if (source !== undefined) cluster.restoreFrom(source);
  }

  async #maintainArchives(): Promise<void> {
    await Promise.all([...this.#clusters.values()].map((cluster) => cluster.maintainArchive()));
  }

  #add(state: ClustersState['clusters'][number]): Cluster {
    const cluster = new Cluster(state, this.#required().environment);
    this.#clusters.set(state.identifier, cluster);
    return cluster;
  }

  #url(cluster: Cluster, port: number): string {
    const { masterUsername, masterPassword, database } = cluster.state;
    const url = new URL(`postgresql://${writerHost}:${port}`);
    url.username = encodeURIComponent(masterUsername);
    url.password = encodeURIComponent(masterPassword);
    url.pathname = `/${encodeURIComponent(database)}`;
    url.searchParams.set('sslmode', 'require');
    url.searchParams.set('sslrootcert', this.authorityFile);
    return url.href;
  }

  async #rotateLogs(): Promise<void> {
    await Promise.all([...this.#clusters.values()].map((cluster) => cluster.rotateLogs())).catch(() => {});
  }

  #required(): Running {
    if (this.#running === undefined) throw new Error('PostgreSQL has not been started.');
    return this.#running;
  }
}

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { evenly } from '../../functions/shards/map/shard-map.ts';
import { type Assembly, readAssembly } from '../assembly/assembly.ts';
import type { Reporter } from '../cli/reporter.ts';
import { loadExampleAssets } from '../example/example-assets.ts';
import { exampleSlots, loadExample } from '../example/example-platform.ts';
import { createStack, type StackEnvironment } from '../provision/stack.ts';
import { readAdminKey } from './admin-key.ts';
import { registerControls } from './controls.ts';
import { resourceHandlers } from './handlers.ts';
import { type LocalFacts, removeLocalFiles, writeLocalFiles } from './local-files.ts';
import { accountId, createParts, operator, type Parts, region, registerApis } from './parts.ts';
import { RunningServices } from './running-services.ts';
import type { StateDirectory } from './state-directory.ts';
import { synthesize } from './synth.ts';

/** How long a stop waits for a start that is under way to come to its end, in milliseconds. */
const startPatienceMs = 20_000;

export interface RuntimeOptions {
  projectDirectory: string;
  state: StateDirectory;
  /** Environment of `cdk.json` to run. */
  environment: string;
  /** A cloud assembly to run as it is; default: the app is synthesized. */
  assembly?: string;
  /** Further context for the CDK app. */
  context: Readonly<Record<string, unknown>>;
  /** Preferred ports; 0 for any. */
  port: number;
  awsPort: number;
  edgePort: number;
  reporter: Reporter;
  /** Aborted when everything is to stop, also while it starts. */
  signal: AbortSignal;
}

/** The synthesized app, running on this machine. */
export class LocalRuntime {
  readonly parts: Parts;
  readonly #options: RuntimeOptions;
  readonly #services = new RunningServices();
  readonly #filled = new Set<string>();
  #facts: Omit<LocalFacts, 'shards'> | undefined;
  #writing: Promise<void> = Promise.resolve();
  #starting: Promise<void> = Promise.resolve();

  constructor(options: RuntimeOptions) {
    this.#options = options;
    this.parts = createParts({
      state: options.state,
      port: options.port,
      awsPort: options.awsPort,
      edgePort: options.edgePort,
      report: (line) => options.reporter.line(`  ! ${line}`),
      onDatabasesChanged: () => void this.#writeFiles(),
    });
    registerApis(this.parts);
    registerControls(this.parts);
  }

  /**
   * Synthesizes, starts every part, creates the stacks, and returns once the API answers.
   *
   * @throws when a step fails or everything is to stop; what was started has to be stopped by {@link stop}.
   */
  start(): Promise<LocalFacts> {
    const starting = this.#start();
    this.#starting = starting.then(nothing, nothing);
    return starting;
  }

  async #start(): Promise<LocalFacts> {
    const { state, signal } = this.#options;
    const { parts } = this;
    await removeLocalFiles(state);
    const [assembly] = await Promise.all([
      this.#step('synthesize the app', (note) => this.#synthesize(note)),
      this.#services
        .start([parts.endpoint, parts.cloudWatch, parts.xray, parts.s3, parts.dynamoDb])
        .then(() => this.#step('start PostgreSQL', (note) => this.#startPostgres(note)))
        // Its certificate is that of the databases.
        .then(() => this.#services.start([parts.cloudFront])),
      this.#services.start([parts.lambda, parts.httpApi, parts.customResources, parts.stepFunctions]),
    ]);
    const environment: StackEnvironment = {
      region,
      accountId,
      assembly,
      handlerOf: resourceHandlers(parts),
      parameter: () => undefined,
      exports: new Map(),
      outputs: new Map(),
      signal,
    };
    for (const stack of assembly.stacks) {
      await this.#step(`create ${stack.name}`, async (note) => {
        const onCreated = (created: number, wanted: number) => note(`${created} of ${wanted} resources`);
        await createStack(stack, { ...environment, onCreated });
        note(`${Object.keys(stack.template.Resources).length} resources`);
      });
      await this.#fillDatabases();
    }
    await this.#fillAssets();
    await parts.customResources.removeOthers();
    const { buses, scheduler, queueDepths, accessLogs, subscriptions } = parts;
    await this.#services.start([buses, scheduler, queueDepths, accessLogs, subscriptions]);
    await parts.stepFunctions.announceInterrupted();

    this.#facts = {
      pid: process.pid,
      baseUrl: parts.httpApi.url,
      adminKey: await readAdminKey(parts, outputOf(environment, 'AdminKeySecretArn')),
      awsEndpointUrl: parts.endpoint.url,
      aws: { ...parts.credentials.operator(), region },
      ...(parts.cloudFront.book.distributions.size > 0 && {
        edgeUrl: `http://${parts.cloudFront.domainName}`,
      }),
    };
    signal.throwIfAborted();
    await this.#writeFiles();
    return { ...this.#facts, shards: this.#shards() };
  }

  /** Stops everything that was started, the last first. Safe to call at any time, more than once. */
  async stop(): Promise<void> {
    const { reporter, state } = this.#options;
    const report = (message: string) => reporter.line(`  ! ${message}`);
    // What still waits for a custom resource would wait for its function's answer.
    await this.parts.customResources.stop();
    await Promise.race([this.#starting, sleep(startPatienceMs, undefined, { ref: false })]);
    this.#facts = undefined;
    await this.#services.stop(report);
    await this.#writing;
    await removeLocalFiles(state);
  }

  async #synthesize(note: (detail: string) => void): Promise<Assembly> {
    const { projectDirectory, state, environment, context, assembly } = this.#options;
    if (assembly !== undefined) {
      note(assembly);
      return readAssembly(assembly);
    }
    const outputDirectory = state.join('cdk.out');
    const outcome = await synthesize({
      projectDirectory,
      outputDirectory,
      context: { ...context, environment },
      signal: this.#options.signal,
    });
    note(outcome === 'unchanged' ? 'unchanged' : '');
    return readAssembly(outputDirectory);
  }

  async #startPostgres(note: (detail: string) => void): Promise<void> {
    const { postgres } = this.parts;
    await this.#services.start([postgres]);
    const servers = postgres.describe().flatMap(({ instances }) => instances);
    note(servers.length === 0 ? '' : `${servers.length} servers`);
  }

  /** A step of the start. One that fails because everything stops says just that. */
  async #step<T>(title: string, action: (note: (detail: string) => void) => Promise<T>): Promise<T> {
    const { reporter, signal } = this.#options;
    signal.throwIfAborted();
    return reporter.step(title, async (note) => {
      try {
        return await action(note);
      } catch (error) {
        signal.throwIfAborted();
        throw error;
      }
    });
  }

  /** Loads the example platform into each database that does not have it yet. */
  async #fillDatabases(): Promise<void> {
    const databases = this.parts.postgres
      .describeForLocalJson()
      .filter(({ identifier }) => !this.#filled.has(identifier));
    if (databases.length === 0) return;
    for (const { identifier } of databases) this.#filled.add(identifier);
    // As the first shard map has them.
    const ranges = evenly(
      exampleSlots,
      this.parts.postgres.describeForLocalJson().map(({ name, identifier }) => name ?? identifier),
    );
    const slotsOf = (shard: string) => ranges.find((range) => range.shard === shard);
    await this.#step('fill the example platform', async (note) => {
      const outcomes = await Promise.all(
        databases.map(({ name, identifier }) => {
          const slots = slotsOf(name ?? identifier);
          return loadExample({
            shard: name ?? identifier,
            ...(slots !== undefined && { slots }),
            connection: connectionTo(this.parts, identifier),
            signal: this.#options.signal,
          });
        }),
      );
      if (outcomes.every((outcome) => outcome === 'present')) note('unchanged');
    });
  }

  /** Puts the example platform's files where there are none. */
  async #fillAssets(): Promise<void> {
    const { s3, endpoint } = this.parts;
    for (const bucket of s3.bucketNames().filter((name) => /assets/i.test(name))) {
      await loadExampleAssets((operation, input) => endpoint.call(operator, 's3', operation, input), bucket);
    }
  }

  #shards(): LocalFacts['shards'] {
    return this.parts.postgres
      .describeForLocalJson()
      .map(({ name, identifier, writer, readers }) => ({ name: name ?? identifier, writer, readers }));
  }

  /** Writes what programs read; called again whenever a database's address or process changes. */
  #writeFiles(): Promise<void> {
    const facts = this.#facts;
    if (facts !== undefined) {
      const write = () => writeLocalFiles(this.#options.state, { ...facts, shards: this.#shards() });
      this.#writing = this.#writing.then(write, write);
    }
    return this.#writing;
  }
}

function outputOf(environment: StackEnvironment, name: string): string {
  for (const [key, value] of environment.outputs) {
    if (key.endsWith(`/${name}`) && typeof value === 'string') return value;
  }
  throw new Error(`No stack has an output ${name}.`);
}

/** How the master user of a cluster connects to its writer. */
function connectionTo({ postgres }: Parts, identifier: string) {
  const url = new URL(postgres.masterUrl(identifier));
  url.search = '';
  return { connectionString: url.href, ssl: { ca: readFileSync(postgres.authorityFile) } };
}

function nothing(): void {}

import { readFileSync } from 'node:fs';
import { type Assembly, readAssembly } from '../assembly/assembly.ts';
import type { Reporter } from '../cli/reporter.ts';
import { loadExample } from '../example/example-platform.ts';
import { createStack, type StackEnvironment } from '../provision/stack.ts';
import type { Service } from '../service.ts';
import { readAdminKey } from './admin-key.ts';
import { registerControls } from './controls.ts';
import { resourceHandlers } from './handlers.ts';
import { type LocalFacts, writeLocalFiles } from './local-files.ts';
import { accountId, createParts, type Parts, region, registerApis } from './parts.ts';
import type { StateDirectory } from './state-directory.ts';
import { synthesize } from './synth.ts';

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
  reporter: Reporter;
}

/** The synthesized app, running on this machine. */
export class LocalRuntime {
  readonly parts: Parts;
  readonly #options: RuntimeOptions;
  readonly #started: Service[] = [];
  readonly #filled = new Set<string>();
  #facts: Omit<LocalFacts, 'shards'> | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: RuntimeOptions) {
    this.#options = options;
    this.parts = createParts({
      state: options.state,
      port: options.port,
      awsPort: options.awsPort,
      report: (line) => options.reporter.line(`  ! ${line}`),
      onDatabasesChanged: () => void this.#writeFiles(),
    });
    registerApis(this.parts);
    registerControls(this.parts);
  }

  /**
   * Synthesizes, starts every part, creates the stacks, and returns once the API answers.
   *
   * @throws when a step fails; what was started has to be stopped by {@link stop}.
   */
  async start(): Promise<LocalFacts> {
    const { reporter } = this.#options;
    const { parts } = this;
    const [assembly] = await Promise.all([
      reporter.step('synthesize the app', (note) => this.#synthesize(note)),
      this.#startAll([
        parts.endpoint,
        parts.logs,
        parts.cloudWatch,
        parts.xray,
        parts.s3,
        parts.dynamoDb,
        parts.postgres,
      ]),
      this.#startAll([parts.lambda, parts.httpApi, parts.customResources, parts.stepFunctions]),
    ]);
    const environment: StackEnvironment = {
      region,
      accountId,
      assembly,
      handlerOf: resourceHandlers(parts),
      parameter: () => undefined,
      exports: new Map(),
      outputs: new Map(),
    };
    for (const stack of assembly.stacks) {
      await reporter.step(`create ${stack.name}`, async (note) => {
        await createStack(stack, environment);
        note(`${Object.keys(stack.template.Resources).length} resources`);
      });
      await this.#fillDatabases();
    }
    await parts.customResources.removeOthers();
    await this.#startAll([parts.buses, parts.scheduler, parts.queueDepths]);
    await parts.stepFunctions.announceInterrupted();

    this.#facts = {
      pid: process.pid,
      baseUrl: parts.httpApi.url,
      adminKey: await readAdminKey(parts, outputOf(environment, 'AdminKeySecretArn')),
      awsEndpointUrl: parts.endpoint.url,
      aws: { ...parts.credentials.operator(), region },
    };
    await this.#writeFiles();
    return { ...this.#facts, shards: this.#shards() };
  }

  /** Stops everything that was started, the last first. Safe to call at any time, more than once. */
  async stop(): Promise<void> {
    this.#facts = undefined;
    for (const service of this.#started.splice(0).reverse()) {
      await service.stop().catch((error: unknown) => {
        this.#options.reporter.line(`  ! ${service.name} did not stop cleanly: ${error}`);
      });
    }
    await this.#writing;
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
    });
    note(outcome === 'unchanged' ? 'unchanged' : '');
    return readAssembly(outputDirectory);
  }

  async #startAll(services: readonly Service[]): Promise<void> {
    for (const service of services) {
      this.#started.push(service);
      await service.start();
    }
  }

  /** Loads the example platform into each database that does not have it yet. */
  async #fillDatabases(): Promise<void> {
    const databases = this.parts.postgres
      .describeForLocalJson()
      .filter(({ identifier }) => !this.#filled.has(identifier));
    if (databases.length === 0) return;
    for (const { identifier } of databases) this.#filled.add(identifier);
    await this.#options.reporter.step('fill the example platform', async (note) => {
      const outcomes = await Promise.all(
        databases.map(({ name, identifier }) =>
          loadExample({ shard: name ?? identifier, connection: connectionTo(this.parts, identifier) }),
        ),
      );
      if (outcomes.every((outcome) => outcome === 'present')) note('unchanged');
    });
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

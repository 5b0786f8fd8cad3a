import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import { waitFor } from '../../support/wait-for.ts';

const node = z.object({ url: z.string(), pid: z.number().int().nullable() });

/** What `.mainstay/local.json` tells programs. */
export const localJsonSchema = z.object({
  pid: z.number().int(),
  baseUrl: z.url(),
  adminKey: z.string().startsWith('msk_'),
  awsEndpointUrl: z.url(),
  aws: z.object({ accessKeyId: z.string(), secretAccessKey: z.string(), region: z.string() }),
  shards: z.array(z.object({ name: z.string(), writer: node, readers: z.array(node) })),
});
export type LocalJson = z.output<typeof localJsonSchema>;

const projectDirectory = resolve(import.meta.dirname, '../../..');

/** A local runtime in a process of its own, started as `npm start` starts it. */
export class LocalPlatform {
  readonly stateDirectory: string;
  readonly #child: ChildProcess;
  readonly #output: string[] = [];
  readonly exited: Promise<number | null>;

  /**
   * Begins to start a runtime.
   *
   * @param args further options of `npm start`.
   */
  constructor(stateDirectory: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
    this.stateDirectory = stateDirectory;
    const fixed = ['--state', stateDirectory, '--port', '0', '--aws-port', '0', '--edge-port', '0'];
    this.#child = spawn(process.execPath, ['bin/local.ts', ...fixed, ...args], {
      cwd: projectDirectory,
      stdio: ['ignore', 'pipe', 'pipe'],
      // Jest's own flags are no business of the runtime.
      env: { ...process.env, NODE_OPTIONS: '', ...env },
    });
    this.#child.stdout?.on('data', (data: Buffer) => this.#output.push(data.toString()));
    this.#child.stderr?.on('data', (data: Buffer) => this.#output.push(data.toString()));
    this.exited = new Promise((done) => this.#child.once('close', done));
  }

  /**
   * Starts a runtime and waits until it is ready.
   *
   * @throws with what it printed when it ends instead.
   */
  static async start(
    stateDirectory: string,
    args: readonly string[] = [],
    env: NodeJS.ProcessEnv = {},
  ): Promise<LocalPlatform> {
    const platform = new LocalPlatform(stateDirectory, args, env);
    await platform.printed('Stop with Ctrl-C');
    return platform;
  }

  /**
   * Waits until it has printed something.
   *
   * @throws with what it printed when it ends instead, or takes too long; it is killed then.
   */
  async printed(text: string): Promise<void> {
    let ended = false;
    void this.exited.then(() => {
      ended = true;
    });
    try {
      await waitFor(() => ended || this.output.includes(text), {
        what: `the local runtime to print: ${text}`,
        timeoutMs: 120_000,
      });
      if (!this.output.includes(text)) throw new Error(`The local runtime ended with ${await this.exited}.`);
    } catch (error) {
      await this.kill();
      throw new Error(`${error instanceof Error ? error.message : error}\n${this.output}`);
    }
  }

  /** Everything it has printed. */
  get output(): string {
    return this.#output.join('');
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async localJson(): Promise<LocalJson> {
    return readLocalJson(this.stateDirectory);
  }

  /** Sends SIGTERM and waits for the end. Returns the exit code. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.#child.kill(signal);
    return this.exited;
  }

  /** Lets it run on without this object: what it prints from now on is lost. */
  release(): void {
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
    this.#child.unref();
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited;
  }
}

export async function readLocalJson(stateDirectory: string): Promise<LocalJson> {
  return localJsonSchema.parse(JSON.parse(await readFile(join(stateDirectory, 'local.json'), 'utf8')));
}

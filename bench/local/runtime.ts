import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type LocalFacts, localFactsSchema } from '../../local/runtime/local-files.ts';

const projectDirectory = resolve(import.meta.dirname, '../..');
/** The last of what `npm start` prints when it is ready. */
const readyText = 'Ctrl-C';

/** The local runtime in a process of its own, as `npm start` runs it. */
export class RunningPlatform {
  readonly facts: LocalFacts;
  /** From the start of the process until it says that it is ready. */
  readonly bootSeconds: number;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;

  private constructor(facts: LocalFacts, bootSeconds: number, child: ChildProcess, exited: Promise<unknown>) {
    this.facts = facts;
    this.bootSeconds = bootSeconds;
    this.#child = child;
    this.#exited = exited;
  }

  /**
   * Starts the runtime on free ports.
   *
   * @throws with what it printed when it ends instead of becoming ready.
   */
  static async start(stateDirectory: string): Promise<RunningPlatform> {
    const started = performance.now();
    const args = [
      'bin/local.ts',
      '--state',
      stateDirectory,
      '--port',
      '0',
      '--aws-port',
      '0',
      '--edge-port',
      '0',
    ];
    const child = spawn(process.execPath, args, { cwd: projectDirectory, stdio: ['ignore', 'pipe', 'pipe'] });
    const exited = new Promise((done) => child.once('close', done));
    let output = '';
    const ready = new Promise<void>((done) => {
      const listen = (data: Buffer) => {
        output += data.toString();
        if (output.includes(readyText)) done();
      };
      child.stdout.on('data', listen);
      child.stderr.on('data', listen);
    });
    await Promise.race([
      ready,
      exited.then(() => {
        throw new Error(`The local runtime did not start:\n${output}`);
      }),
    ]);
    const seconds = (performance.now() - started) / 1000;
    const text = await readFile(join(stateDirectory, 'local.json'), 'utf8');
    return new RunningPlatform(localFactsSchema.parse(JSON.parse(text)), seconds, child, exited);
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.#exited;
  }
}

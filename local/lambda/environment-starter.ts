import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { prepareCompileCache } from './compile-cache.ts';
import type { LambdaDefinition } from './definition.ts';
import { EnvironmentDirectories } from './environment-directories.ts';
import { environmentVariables, memoryFlags } from './environment-variables.ts';
import { ExecutionEnvironment } from './execution-environment.ts';
import type { CompleteOptions } from './host-options.ts';
import type { OutputStream } from './output-barrier.ts';
import { writeRunner } from './runner-file.ts';

export type OnLine = (
  environment: ExecutionEnvironment,
  text: string,
  stream: OutputStream,
  requestId: string | undefined,
) => void;

/** Starts processes of functions, each with a private directory. */
export class EnvironmentStarter {
  readonly #options: CompleteOptions;
  readonly #directories: EnvironmentDirectories;
  readonly #onLine: OnLine;
  #runnerFile: string | undefined;
  #compileCache = '';

  constructor(options: CompleteOptions, onLine: OnLine) {
    this.#options = options;
    this.#directories = new EnvironmentDirectories(resolve(options.directory, 'environments'));
    this.#onLine = onLine;
  }

  /** Ends what an earlier host left behind, and makes ready to start processes. */
  async prepare(): Promise<void> {
    await this.#directories.sweep();
    const cache = resolve(this.#options.directory, 'compile-cache');
    this.#compileCache = await prepareCompileCache(cache, Date.now());
    this.#runnerFile = writeRunner(resolve(this.#options.directory));
  }

  start(definition: LambdaDefinition): ExecutionEnvironment {
    const { credentials, initTimeoutMs, region, surroundings } = this.#options;
    if (this.#runnerFile === undefined) throw new Error('The Lambda host has not been started.');
    const id = randomUUID();
    this.#directories.create(id);
    const code = { ...definition, codeDirectory: resolve(definition.codeDirectory) };
    let owned: Promise<void> = Promise.resolve();
    const environment: ExecutionEnvironment = new ExecutionEnvironment({
      id,
      functionName: definition.name,
      runnerFile: this.#runnerFile,
      compileCache: this.#compileCache,
      codeDirectory: code.codeDirectory,
      variables: environmentVariables(
        code,
        region,
        credentials.forRole(definition.roleArn),
        surroundings(),
        this.#directories.path(id),
      ),
      nodeFlags: memoryFlags(definition.memoryMiB),
      memoryMiB: definition.memoryMiB,
      timeoutSeconds: definition.timeoutSeconds,
      initTimeoutMs: Math.max(initTimeoutMs, definition.timeoutSeconds * 1000),
      onLine: (text, stream, requestId) => this.#onLine(environment, text, stream, requestId),
      cleanUp: async () => {
        await owned;
        await this.#directories.remove(id);
      },
    });
    if (environment.pid !== undefined) owned = this.#directories.own(id, environment.pid);
    return environment;
  }
}

import { isDeepStrictEqual } from 'node:util';
import { hashCode } from './code-hash.ts';
import { checkDefinition, type LambdaDefinition } from './definition.ts';
import type { ExecutionEnvironment } from './execution-environment.ts';
import { FunctionPool } from './function-pool.ts';
import { functionNotFound, parseFunctionReference, resolveVersion } from './function-reference.ts';

/** A function as it is defined, with what its code is. */
export interface FunctionInfo {
  definition: LambdaDefinition;
  codeSha256: string;
  codeSizeBytes: number;
  /** When code or settings last changed. */
  changedAt: Date;
}

/** A function as a caller named it. */
export interface FoundFunction {
  definition: LambdaDefinition;
  pool: FunctionPool;
  /** What the qualifier stands for; `$LATEST` without one. */
  version: string;
  /** ARN with the qualifier the caller gave. */
  functionArn: string;
}

/** All functions and the processes they have. */
export class Functions {
  readonly #start: (definition: LambdaDefinition) => ExecutionEnvironment;
  readonly #maxEnvironments: number;
  readonly #pools = new Map<string, FunctionPool>();
  readonly #code = new Map<string, { sha256: string; sizeBytes: number; changedAt: Date }>();

  /** @param maxEnvironments processes of all functions together. */
  constructor(start: (definition: LambdaDefinition) => ExecutionEnvironment, maxEnvironments: number) {
    this.#start = start;
    this.#maxEnvironments = maxEnvironments;
  }

  /** Adds a function or changes it; with other code or settings its old environments end. */
  async ensure(definition: LambdaDefinition): Promise<void> {
    checkDefinition(definition);
    const code = await hashCode(definition.codeDirectory);
    const pool = this.#pools.get(definition.name);
    const before = this.#code.get(definition.name);
    this.#code.set(definition.name, { ...code, changedAt: before?.changedAt ?? new Date() });
    if (pool === undefined) {
      const surroundings = { start: this.#start, makeRoom: () => this.#makeRoom() };
      this.#pools.set(definition.name, new FunctionPool(definition, surroundings));
    } else if (before?.sha256 !== code.sha256 || !isDeepStrictEqual(pool.definition, definition)) {
      this.#code.set(definition.name, { ...code, changedAt: new Date() });
      pool.replace(definition);
    }
  }

  get(name: string): FunctionPool | undefined {
    return this.#pools.get(name);
  }

  /** @throws {AwsError} `ResourceNotFoundException` when there is no such function or qualifier. */
  find(reference: string): FoundFunction {
    const { name, qualifier } = parseFunctionReference(reference);
    const pool = this.#pools.get(name);
    const arn = pool?.definition.arn;
    if (pool === undefined || (reference.startsWith('arn:') && !isArnOf(reference, arn, qualifier))) {
      throw functionNotFound(reference);
    }
    const { definition } = pool;
    return {
      definition,
      pool,
      version: resolveVersion(definition, qualifier),
      functionArn: qualifier === undefined ? definition.arn : `${definition.arn}:${qualifier}`,
    };
  }

  /** Every function, by name. */
  list(): FunctionInfo[] {
    return [...this.#pools.values()]
      .map(({ definition }) => ({
        definition,
        codeSha256: this.#code.get(definition.name)?.sha256 ?? '',
        codeSizeBytes: this.#code.get(definition.name)?.sizeBytes ?? 0,
        changedAt: this.#code.get(definition.name)?.changedAt ?? new Date(0),
      }))
      .sort((a, b) => (a.definition.name < b.definition.name ? -1 : 1));
  }

  environments(): ExecutionEnvironment[] {
    return [...this.#pools.values()].flatMap((pool) => pool.environments);
  }

  pools(): IterableIterator<FunctionPool> {
    return this.#pools.values();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.stop()));
  }

  /** Ends the environment that has been idle longest, where a further one would be too many. */
  #makeRoom(): void {
    if (this.environments().length < this.#maxEnvironments) return;
    const idle = [...this.#pools.values()].flatMap((pool) => {
      const environment = pool.oldestIdle;
      return environment === undefined ? [] : [{ pool, environment }];
    });
    idle.sort((a, b) => a.environment.lastUsedAtMs - b.environment.lastUsedAtMs);
    idle[0]?.pool.end(idle[0].environment);
  }
}

function isArnOf(reference: string, arn: string | undefined, qualifier: string | undefined): boolean {
  return reference === (qualifier === undefined ? arn : `${arn}:${qualifier}`);
}

import type { Logger } from '@aws-lambda-powertools/logger';
import * as z from 'zod';
import type { Dependency, Readiness as ReadinessReport } from './contract.ts';

/** One question to a dependency: it answers by not throwing. */
export interface Probe {
  readonly name: string;
  run(signal: AbortSignal): Promise<void>;
}

/** Probes that are known only when they run: one per shard. Not knowing them is a dependency that is down. */
export interface ProbeList {
  readonly name: string;
  list(): Promise<readonly Probe[]>;
}

/** How long one answer serves every request of this execution environment. */
export const reuseMs = 5_000;
/** How long a dependency may take. */
export const probeTimeoutMs = 3_000;

/** The dependency answered, but what it said is not what is needed. */
export class Unusable extends Error {
  override readonly name = 'Unusable';
}

/** Asks every dependency at the same time, each with its own time limit. */
export class Readiness {
  readonly #sources: readonly (Probe | ProbeList)[];
  readonly #now: () => number;
  readonly #timeoutMs: number;
  #latest: { report: Promise<ReadinessReport>; until: number } | undefined;

  constructor(
    sources: readonly (Probe | ProbeList)[],
    options: { now?: () => number; timeoutMs?: number } = {},
  ) {
    this.#sources = sources;
    this.#now = options.now ?? Date.now;
    this.#timeoutMs = options.timeoutMs ?? probeTimeoutMs;
  }

  /** The state of all dependencies, at most `reuseMs` old. Why something is down goes to the log alone. */
  check(log: Pick<Logger, 'warn'>): Promise<ReadinessReport> {
    if (this.#latest === undefined || this.#latest.until <= this.#now()) {
      this.#latest = { report: this.#probeAll(log), until: this.#now() + reuseMs };
    }
    return this.#latest.report;
  }

  async #probeAll(log: Pick<Logger, 'warn'>): Promise<ReadinessReport> {
    const checkedAt = new Date(this.#now()).toISOString();
    const results = await Promise.all(this.#sources.map((source) => this.#ask(source, log)));
    const dependencies = results.flat();
    const status = dependencies.every(({ state }) => state === 'up') ? 'ready' : 'unready';
    return { status, checkedAt, dependencies };
  }

  async #ask(source: Probe | ProbeList, log: Pick<Logger, 'warn'>): Promise<Dependency[]> {
    if ('run' in source) return [await this.#probe(source, log)];
    let probes: readonly Probe[] = [];
    const run = async () => {
      probes = await source.list();
    };
    const listing = await this.#probe({ name: source.name, run }, log);
    if (listing.state === 'down') return [listing];
    return Promise.all(probes.map((probe) => this.#probe(probe, log)));
  }

  async #probe({ name, run }: Probe, log: Pick<Logger, 'warn'>): Promise<Dependency> {
    const started = performance.now();
    const latencyMs = () => Math.round((performance.now() - started) * 10) / 10;
    try {
      await withTimeout(run, this.#timeoutMs);
      return { name, state: 'up', latencyMs: latencyMs() };
    } catch (error) {
      const reason = reasonOf(error);
      log.warn('A dependency is down', {
        dependency: name,
        reason,
        error: error instanceof Error ? error : 'unknown',
      });
      return { name, state: 'down', latencyMs: latencyMs(), reason };
    }
  }
}

async function withTimeout(run: (signal: AbortSignal) => Promise<void>, timeoutMs: number): Promise<void> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const error = Object.assign(new Error(`no answer within ${timeoutMs} ms`), { name: 'TimeoutError' });
      controller.abort(error);
      reject(error);
    }, timeoutMs);
  });
  try {
    await Promise.race([run(controller.signal), expired]);
  } finally {
    clearTimeout(timer);
  }
}

const awsAnswer = z.object({ $metadata: z.object({ httpStatusCode: z.int() }) });

/** What a stranger may learn about why a dependency is down. */
function reasonOf(error: unknown): NonNullable<Dependency['reason']> {
  if (!(error instanceof Error)) return 'unreachable';
  if (error instanceof Unusable) return 'unusable';
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return 'timeout';
  // PostgreSQL: 28 is a refused login, 3D a database that is not there.
  const code = 'code' in error ? String(error.code) : '';
  // The answer to a HEAD request has no body that would name the error.
  const status = awsAnswer.safeParse(error).data?.$metadata.httpStatusCode;
  if (code.startsWith('28') || status === 403 || /AccessDenied/.test(error.name)) return 'denied';
  if (code === '3D000' || status === 404 || /NotFound/.test(error.name)) return 'absent';
  return 'unreachable';
}

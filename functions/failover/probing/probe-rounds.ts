import type { Shard } from '../../shared/shards.ts';
import type { ProbeRecord, ShardInstances } from '../model.ts';
import type { Ask } from './ask.ts';
import { isCutOff, wasHeard } from './cut-off.ts';
import { judge } from './judge.ts';
import { type Findings, lookAtShard } from './look-at-shard.ts';
import type { ProbeMetrics } from './probe-metrics.ts';
import type { ProbeStore } from './probe-store.ts';

export interface ProbeParts {
  /** Reads the shard map, as it is now. */
  readonly shards: () => Promise<readonly Shard[]>;
  readonly store: Pick<ProbeStore, 'probes' | 'instances' | 'put'>;
  readonly ask: Ask;
  /** What `ask` is bounded by. */
  readonly timeoutMs: number;
  readonly metrics: ProbeMetrics;
  readonly log: { warn(message: string, about: Record<string, unknown>): void };
  readonly now: () => number;
}

interface Known {
  readonly shards: readonly Shard[];
  readonly instances: ReadonlyMap<string, ShardInstances>;
}

/** Looks at all shards, again and again; what it knows outlives a DynamoDB that does not answer. */
export class ProbeRounds {
  readonly #parts: ProbeParts;
  #known: Known = { shards: [], instances: new Map() };
  readonly #latest = new Map<string, ProbeRecord>();

  constructor(parts: ProbeParts) {
    this.#parts = parts;
  }

  /**
   * Looks at all shards once, at the same time. What was found of a shard is told and kept as soon as it is known; one of
   * which nothing was heard waits for the others, which tell whether it is the probe that hears nothing.
   *
   * @throws what DynamoDB answered when nobody has said yet which shards there are.
   */
  async run(): Promise<void> {
    const { now, metrics } = this.#parts;
    const at = new Date(now());
    const failure = await this.#refresh();
    const { shards } = this.#known;
    if (shards.length === 0) {
      metrics.cutOff(at, failure !== undefined);
      if (failure !== undefined) throw failure.error;
      return;
    }
    const looks = shards.map((shard) => this.#look(shard));
    const everything = Promise.all(looks);
    const cutOff = everything.then((all) => isCutOff(all, failure === undefined));
    await Promise.all([
      cutOff.then((value) => metrics.cutOff(at, value)),
      ...shards.map(async (shard, index) => {
        const findings = await (looks[index] ?? this.#look(shard));
        await this.#conclude(shard, at, findings, wasHeard(findings) ? false : await cutOff);
      }),
    ]);
  }

  #look(shard: Shard): Promise<Findings> {
    const instances = this.#known.instances.get(shard.name)?.instances ?? [];
    return lookAtShard(shard, instances, this.#parts);
  }

  async #conclude({ name, epoch }: Shard, at: Date, findings: Findings, cutOff: boolean): Promise<void> {
    const { store, metrics, log } = this.#parts;
    const record = judge({ shard: name, epoch, at, findings, cutOff, previous: this.#latest.get(name) });
    this.#latest.set(name, record);
    metrics.shard(record);
    if (!record.ok) log.warn('A writer does not serve', { shard: name, reason: record.reason, cutOff });
    try {
      await store.put(record);
    } catch (error) {
      log.warn('What a probe found could not be kept', { shard: name, error });
    }
  }

  /** Reads anew what is known. @returns the failure, where it stays as it was. */
  async #refresh(): Promise<{ error: unknown } | undefined> {
    const { shards, store, log } = this.#parts;
    try {
      const [list, instances, probes] = await Promise.all([shards(), store.instances(), store.probes()]);
      this.#known = { shards: list, instances: new Map(instances.map((each) => [each.shard, each])) };
      for (const record of probes) {
        const latest = this.#latest.get(record.shard);
        if (latest === undefined || latest.at < record.at) this.#latest.set(record.shard, record);
      }
      for (const name of this.#latest.keys()) {
        if (!list.some((shard) => shard.name === name)) this.#latest.delete(name);
      }
      return undefined;
    } catch (error) {
      log.warn('The shards could not be read; what was known of them is used', { error });
      return { error };
    }
  }
}

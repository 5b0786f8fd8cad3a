import { type AttemptDependencies, attempt } from '../../../../functions/failover/attempt.ts';
import { conclude } from '../../../../functions/failover/conclude.ts';
import { ContendedRecordError } from '../../../../functions/failover/errors.ts';
import type { Examination } from '../../../../functions/failover/examination.ts';
import type { ProbeRecord, ShardInstances } from '../../../../functions/failover/model.ts';
import { confirm } from '../../../../functions/failover/phases/confirm.ts';
import type { FailoverInput } from '../../../../functions/failover/phases/events.ts';
import { requireCurrent } from '../../../../functions/failover/phases/require-current.ts';
import type { FailoverPolicy } from '../../../../functions/failover/policy.ts';
import type { FailoverRecord } from '../../../../functions/failover/record.ts';
import type { Promotion, RoutedShard, ShardKnowledge } from '../../../../functions/failover/store.ts';
import { type WatchdogDependencies, watch } from '../../../../functions/failover/watchdog.ts';

/** Thrown where a function is killed. */
export class Killed extends Error {}

interface ModelInstance {
  id: string;
  port: number;
  up: boolean;
  /** Out of recovery. */
  primary: boolean;
  readOnly: boolean;
  /** Bytes of log that it has. */
  log: number;
  /** Of the primary that it follows. */
  follows: string | undefined;
  /** Whether functions reach it, and whether the probe does. */
  reachable: boolean;
  probed: boolean;
}

interface Execution {
  name: string;
  input: FailoverInput;
  step: 'fence' | 'promote' | 'confirm' | 'conclude';
  failures: number;
  status: 'running' | 'succeeded' | 'failed';
  error?: { name: string; message: string };
}

export const policy: FailoverPolicy = {
  probeIntervalSeconds: 30,
  probeTimeoutMs: 5_000,
  failureThreshold: 3,
  automatic: true,
  cooldownMinutes: 15,
  maxLagBytes: 1_000,
  flapping: { transitions: 6, windowMinutes: 10 },
  shards: { main: { action: 'replica' } },
};

const trace = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const lsn = (position: number): string => `0/${position.toString(16).toUpperCase()}`;

/**
 * Self-managed instances of one shard, the probe, the shard's items, executions of the workflow, and functions that are killed
 * before any of their writes. The product's own code decides, claims, moves the map and concludes.
 */
export class World {
  now = Date.parse('2026-11-21T00:00:00Z');
  readonly instances: ModelInstance[];
  readonly executions: Execution[] = [];
  shard: RoutedShard = {
    name: 'main',
    clusterIdentifier: 'adopted',
    resourceId: 'cluster-A',
    database: 'platform',
    writer: { host: 'db', port: 1 },
    epoch: 1,
    state: 'active',
  };
  record: FailoverRecord | undefined;
  probe: ProbeRecord | undefined;
  /** How many more writes are made until the function that makes the next one is killed; undefined: none is. */
  killAfter: number | undefined;
  /** Acknowledged writes: by which instance, under which epoch of the map. */
  readonly writes: { epoch: number; instance: string }[] = [];
  readonly problems: string[] = [];

  constructor(count: number) {
    this.instances = Array.from({ length: count }, (_, index) => ({
      ...{ id: `i${index + 1}`, port: index + 1, up: true, readOnly: false, log: 100 },
      ...{ primary: index === 0, follows: index === 0 ? undefined : 'i1', reachable: true, probed: true },
    }));
  }

  get writer(): ModelInstance | undefined {
    return this.instances.find(({ port }) => port === this.shard.writer.port);
  }

  /** The platform writes where the map leads. */
  write(): void {
    const { writer } = this;
    if (writer === undefined || !writer.up || !writer.primary || writer.readOnly) return;
    writer.log += 10;
    this.writes.push({ epoch: this.shard.epoch, instance: writer.id });
  }

  /** Standbys receive what their primary has. */
  replicate(): void {
    for (const standby of this.instances) {
      const primary = this.instances.find(({ id }) => id === standby.follows);
      if (standby.up && !standby.primary && primary?.up === true)
        standby.log = Math.max(standby.log, primary.log);
    }
  }

  runProbe(): void {
    const { writer, now } = this;
    const ok = writer?.probed === true && serves(writer);
    const at = new Date(now).toISOString();
    const before = this.probe;
    const seen = this.instances.filter(({ up, probed }) => up && probed);
    const cutOff = this.instances.every(({ probed }) => !probed);
    const changed = before !== undefined && before.ok !== ok && !cutOff;
    const failures = before?.consecutiveFailures ?? 0;
    const firstFailureAt = ok ? undefined : (before?.firstFailureAt ?? at);
    this.probe = {
      ...{ shard: 'main', at, ok, cutOff },
      consecutiveFailures: ok ? 0 : cutOff ? failures : failures + 1,
      ...(firstFailureAt !== undefined && { firstFailureAt }),
      ...(ok && { writerInstance: writer.id, writerLsn: lsn(writer.log) }),
      ...(!ok && before?.writerLsn !== undefined && { writerLsn: before.writerLsn }),
      ...(!ok && before?.writerInstance !== undefined && { writerInstance: before.writerInstance }),
      otherWriters: seen.filter((one) => one !== writer && serves(one)).map(({ id }) => id),
      fenced: seen.filter((one) => one !== writer && one.primary && one.readOnly).map(({ id }) => id),
      readers: [],
      changes: [...(before?.changes ?? []), ...(changed ? [at] : [])].slice(-100),
    };
  }

  /** Whoever has looked and not yet gone on. */
  readonly #looking: (() => void)[] = [];
  readonly #slow: Promise<void>[] = [];

  /** An alarm whose re-check takes so long that anything may happen meanwhile. */
  slowAlarm(): void {
    const deps = this.dependencies();
    const examine = async () => {
      const seen = this.#examine();
      await new Promise<void>((resolve) => this.#looking.push(resolve));
      return seen;
    };
    const asked = { kind: 'failover', trigger: 'alarm', reason: 'alarm' } as const;
    this.#slow.push(this.survive(() => attempt({ ...deps, examine }, 'main', asked, trace)));
  }

  /** Those that have looked go on. */
  async goOn(): Promise<void> {
    // Whoever has just begun may not have come to look yet.
    for (let turn = 0; turn < 3 && this.#looking.length < this.#slow.length; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (const resolve of this.#looking.splice(0)) resolve();
    await Promise.race([Promise.all(this.#slow), new Promise((resolve) => setImmediate(resolve))]);
  }

  /** An execution that has failed was not dead after all, and does the rest of what it was to do. */
  async zombie(index: number): Promise<void> {
    const failed = this.executions.filter(({ status }) => status === 'failed');
    const found = failed[index % Math.max(1, failed.length)];
    if (found === undefined) return;
    const zombie: Execution = { ...found };
    for (let step = 0; step < 4 && zombie.status === 'failed'; step++) {
      try {
        await this.#run(zombie);
      } catch {
        return;
      }
    }
  }

  alarm(): Promise<void> {
    return this.survive(() =>
      attempt(this.dependencies(), 'main', { kind: 'failover', trigger: 'alarm', reason: 'alarm' }, trace),
    );
  }

  ask(kind: 'failover' | 'switchover', acceptedLoss?: number | 'any'): Promise<void> {
    const asked = { kind, trigger: 'request', reason: 'asked', requestedBy: 'key' } as const;
    return this.survive(() =>
      attempt(
        this.dependencies(),
        'main',
        { ...asked, ...(acceptedLoss !== undefined && { acceptedLoss }) },
        trace,
      ),
    );
  }

  watchdog(): Promise<void> {
    const deps: WatchdogDependencies = {
      ...this.dependencies(),
      status: async (name) => {
        const found = this.executions.find((execution) => execution.name === name);
        if (found === undefined) return undefined;
        return {
          running: found.status === 'running',
          ...(found.error !== undefined && { failure: found.error }),
        };
      },
      raiseEpoch: async () => {},
      fenceOther: async (_shard, { id }) => {
        const found = this.instances.find((one) => one.id === id);
        if (found?.up && found.reachable) found.readOnly = true;
      },
    };
    return this.survive(async () => {
      await watch(deps, 'main', trace);
    });
  }

  /** Does the next step of an execution; a function that is killed in it is run again, and in the end it fails. */
  async step(index: number): Promise<void> {
    const running = this.executions.filter(({ status }) => status === 'running');
    const execution = running[index % Math.max(1, running.length)];
    if (execution === undefined) return;
    try {
      await this.#run(execution);
    } catch (error) {
      const named = error instanceof Error ? error.name : 'Error';
      if (execution.step === 'conclude') {
        execution.status = 'succeeded';
        return;
      }
      execution.failures += 1;
      if (execution.step === 'fence' && named !== 'SupersededError') {
        execution.step = 'promote';
        return;
      }
      if (execution.failures < 3 && named !== 'SupersededError') return;
      execution.status = 'failed';
      execution.error = { name: named, message: '' };
    }
  }

  /** What has to be true at every moment. */
  check(): void {
    if (this.executions.filter(({ status }) => status === 'running').length > 1) {
      this.problems.push('two operations at once');
    }
    const byEpoch = new Map<number, string>();
    for (const { epoch, instance } of this.writes) {
      const other = byEpoch.get(epoch) ?? instance;
      byEpoch.set(epoch, other);
      if (other !== instance) this.problems.push(`epoch ${epoch} had two writers, ${other} and ${instance}`);
    }
    const epochs = this.writes.map(({ epoch }) => epoch);
    if (epochs.some((epoch, index) => index > 0 && epoch < (epochs[index - 1] ?? 0))) {
      this.problems.push('an older epoch took a write after a newer one');
    }
  }

  async #run(execution: Execution): Promise<void> {
    const { operation } = execution.input;
    const store = this.#store();
    const target = this.instances.find(({ id }) => id === operation.target.instance);
    const old = this.instances.find(({ port }) => port === operation.from.port);
    switch (execution.step) {
      case 'fence':
        await requireCurrent(store, 'main', operation);
        this.#mayDie();
        if (old?.up === true && old.reachable && old.primary) old.readOnly = true;
        execution.step = 'promote';
        return;
      case 'promote':
        await requireCurrent(store, 'main', operation);
        this.#mayDie();
        if (target?.up !== true || !target.reachable) throw new Error('not reached');
        target.primary = true;
        target.readOnly = false;
        target.follows = undefined;
        this.#mayDie();
        execution.step = 'confirm';
        return;
      case 'confirm': {
        await requireCurrent(store, 'main', operation);
        const identity = { started: '', replica: false, readOnly: false, aurora: false };
        const beat = async () => {
          const works = target?.up === true && target.reachable && serves(target);
          return works ? { value: { identity, at: this.now } } : { reason: 'not there' };
        };
        const now = this.#steppingClock();
        await confirm({ beat, now, store }, 'main', operation, undefined, this.now + 1);
        execution.step = 'conclude';
        return;
      }
      case 'conclude':
        await conclude({ store, policy }, 'main', execution.name, undefined, {
          now: this.now,
          traceparent: trace,
        });
        execution.status = 'succeeded';
    }
  }

  /** One look, and the time is up. */
  #steppingClock(): () => number {
    let calls = 0;
    return () => this.now + (calls++ === 0 ? 0 : 2);
  }

  #mayDie(): void {
    if (this.killAfter === undefined) return;
    if (this.killAfter === 0) {
      this.killAfter = undefined;
      throw new Killed();
    }
    this.killAfter -= 1;
  }

  async survive(run: () => Promise<unknown>): Promise<void> {
    try {
      await run();
    } catch (error) {
      // Whoever comes too often into the way of others is run again.
      if (!(error instanceof Killed || error instanceof ContendedRecordError)) throw error;
    }
  }

  dependencies(): AttemptDependencies {
    return {
      store: this.#store(),
      policy,
      examine: async () => this.#examine(),
      describeGlobal: async () => ({ writer: undefined, others: [] }),
      start: async (name, input) => {
        this.#mayDie();
        if (this.executions.some((execution) => execution.name === name)) return;
        this.executions.push({ name, input, step: 'fence', failures: 0, status: 'running' });
      },
      now: () => this.now,
    };
  }

  #examine(): Examination {
    const { writer } = this;
    const answers = writer?.reachable === true && serves(writer);
    return {
      at: new Date(this.now).toISOString(),
      writer: { answers, heard: writer?.reachable === true, ...(answers && { lsn: lsn(writer.log) }) },
      instances: this.instances.map(({ id, up, reachable, primary, readOnly, log, follows }) => ({
        ...{ instance: id, reachable: up && reachable, heard: reachable, sharedStorage: false },
        ...(up &&
          reachable && {
            role: primary ? ('primary' as const) : ('standby' as const),
            ...{ readOnly, receivedLsn: lsn(log), replayedLsn: lsn(log) },
            streaming: this.instances.some((one) => one.id === follows && one.up),
          }),
      })),
    };
  }

  #store() {
    return {
      know: async (): Promise<ShardKnowledge> => ({
        shard: this.shard,
        record: this.record,
        probe: this.probe,
        instances: this.#known(),
      }),
      shard: async () => this.shard,
      record: async () => this.record,
      save: async (record: FailoverRecord): Promise<FailoverRecord | undefined> => {
        this.#mayDie();
        if ((this.record?.version ?? 0) !== record.version) return undefined;
        this.record = { ...record, untold: [], version: record.version + 1 };
        this.#mayDie();
        return this.record;
      },
      move: async (
        _name: string,
        { from, writer, promotion }: { from: number; writer: RoutedShard['writer']; promotion: Promotion },
      ): Promise<boolean> => {
        this.#mayDie();
        if (this.shard.epoch === from)
          this.shard = { ...this.shard, epoch: promotion.epoch, writer, promotion };
        this.#mayDie();
        const now = this.shard.promotion;
        return now?.epoch === promotion.epoch && now.instance === promotion.instance;
      },
    };
  }

  #known(): ShardInstances {
    return {
      ...{ shard: 'main', at: new Date(this.now).toISOString(), engine: 'self-managed' },
      instances: this.instances.map(({ id, port }) => ({
        ...{ id, host: 'db', port, status: 'unknown' },
        role: port === this.shard.writer.port ? 'writer' : 'reader',
      })),
    };
  }
}

const serves = ({ up, primary, readOnly }: ModelInstance): boolean => up && primary && !readOnly;

import { sleep } from '../../local/scheduler/clock.ts';
import type { Machine, TaskState } from '../../local/step-functions/definition.ts';
import type { Effects, ExecutionIdentity } from '../../local/step-functions/frame.ts';
import { History, type HistoryEvent } from '../../local/step-functions/history.ts';
import { isJsonObject, type Json } from '../../local/step-functions/json.ts';
import { runExecution } from '../../local/step-functions/run-execution.ts';
import { VirtualClock } from './virtual-clock.ts';
import { chunksOf, textOfChunk, type Workload } from './workload.ts';

export interface Settings {
  /** `backup.holdTermSeconds`. */
  readonly holdTermSeconds: number;
}

/** What a simulated backup came to. */
export interface Simulated {
  readonly durationMs: number;
  /** Events of the workflow’s own history. */
  readonly historyEvents: number;
  /** Of the longest history of a child of a Map. */
  readonly childHistoryEvents: number;
  readonly children: number;
  /** States that were entered, in all executions: what Step Functions charges for. */
  readonly transitions: number;
  readonly mostFunctions: number;
  readonly invocations: number;
  /** Seconds that functions ran, by function. */
  readonly functionSeconds: Readonly<Record<string, number>>;
}

/** How long a lane that stands by waits before it asks to be called again. */
const standByMs = 300_000;
const holdPollMs = 1_000;

/**
 * Runs the definition of the backup workflow on a clock that does not wait, with functions that take as long as the
 * workload says and do nothing.
 *
 * @throws Error when the execution does not succeed.
 */
export async function simulate(machine: Machine, work: Workload, settings: Settings): Promise<Simulated> {
  const clock = new VirtualClock();
  const functions = new SimulatedFunctions(clock, work, settings);
  let historyEvents = 0;
  let childHistoryEvents = 0;
  let children = 0;
  let transitions = 0;
  const entered = ({ type }: HistoryEvent) => {
    if (type.endsWith('StateEntered')) transitions++;
  };
  const effects: Effects = {
    clock,
    random: () => 0.5,
    runTask: (state, input) => functions.run(state, input),
    readItems: async () => Array.from({ length: chunksOf(work) }, (_, item) => ({ item })),
    startMapRun: (label) => ({
      arn: label,
      childStarted: () => {
        children++;
      },
      childEnded: () => undefined,
      ended: () => undefined,
    }),
    distributedConcurrency: Number.POSITIVE_INFINITY,
    childHistory: () =>
      new History(
        () => clock.now(),
        (event) => {
          entered(event);
          childHistoryEvents = Math.max(childHistoryEvents, event.id);
        },
      ),
  };
  const history = new History(
    () => clock.now(),
    (event) => {
      entered(event);
      historyEvents = event.id;
    },
  );
  const ending = await clock.run(runExecution(machine, identity, effects, history, new AbortController()));
  if (ending.status !== 'SUCCEEDED') throw new Error(`The execution ${ending.status}: ${ending.cause}`);
  return {
    durationMs: clock.now(),
    historyEvents,
    childHistoryEvents,
    children,
    transitions,
    mostFunctions: functions.most,
    invocations: functions.invocations,
    functionSeconds: functions.seconds,
  };
}

const identity: ExecutionIdentity = {
  arn: 'arn:aws:states:us-east-1:111111111111:execution:backup:simulated',
  name: 'simulated',
  roleArn: 'arn:aws:iam::111111111111:role/backup',
  stateMachineArn: 'arn:aws:states:us-east-1:111111111111:stateMachine:backup',
  stateMachineName: 'backup',
  input: { trigger: 'api', type: 'full' },
  startedAt: 0,
};

/** Takes the time of each function, and answers what the next state reads. */
class SimulatedFunctions {
  readonly #clock: VirtualClock;
  readonly #work: Workload;
  readonly #settings: Settings;
  /** Chunks that are being copied, by shard: they share its instance. */
  readonly #copying = new Map<string, number>();
  readonly #held = new Set<string>();
  readonly #released = new Set<string>();
  readonly seconds: Record<string, number> = {};
  most = 0;
  invocations = 0;
  #running = 0;

  constructor(clock: VirtualClock, work: Workload, settings: Settings) {
    this.#clock = clock;
    this.#work = work;
    this.#settings = settings;
  }

  async run(state: TaskState, input: Json): Promise<Json> {
    if (state.task.kind !== 'lambda-invoke') {
      await this.#wait(50);
      return {};
    }
    const began = this.#clock.now();
    this.invocations++;
    this.#running++;
    this.most = Math.max(this.most, this.#running);
    try {
      const payload = isJsonObject(input) ? (input.Payload ?? null) : null;
      return { Payload: await this.#invoke(state.name, payload), StatusCode: 200 };
    } finally {
      this.#running--;
      const name = state.name.replace(/[AB]$/, '');
      this.seconds[name] = (this.seconds[name] ?? 0) + (this.#clock.now() - began) / 1000;
    }
  }

  async #invoke(name: string, payload: Json): Promise<Json> {
    const { overheadMs, shards } = this.#work;
    const shard = shardOf(payload);
    if (/^HoldSnapshot/.test(name)) return this.#hold(shard);
    await this.#wait(overheadMs);
    if (name === 'Plan') {
      const targets = Array.from({ length: shards }, (_, index) => ({ name: `shard-${index + 1}` }));
      return { backupId: 'simulated', traceparent: '', shards: targets, components: ['database'] };
    }
    if (name === 'PlanChunks') return { bucket: 'backups', key: shard, items: chunksOf(this.#work) };
    if (name === 'ChunkPipeline') {
      await this.#copy(shard);
      return { purpose: 'backup', backupId: 'simulated', traceparent: '', shard, work: {} };
    }
    if (name === 'VerifyChunk') await this.#wait((textOfChunk(this.#work) / this.#work.verifyRate) * 1000);
    if (name === 'DumpSchema') await this.#wait(2_000);
    if (name.startsWith('Release')) this.#released.add(shard);
    return {};
  }

  /** The rate of a chunk is decided when it begins: by then as many share the instance as on average. */
  async #copy(shard: string): Promise<void> {
    const sharing = (this.#copying.get(shard) ?? 0) + 1;
    this.#copying.set(shard, sharing);
    const rate = Math.min(this.#work.copyRate, this.#work.shardRate / sharing);
    await this.#wait((textOfChunk(this.#work) / rate) * 1000);
    this.#copying.set(shard, (this.#copying.get(shard) ?? 1) - 1);
  }

  /** The first lane to come holds for a term; the other stands by, and takes over. */
  async #hold(shard: string): Promise<Json> {
    const holds = !this.#held.has(shard);
    if (holds) this.#held.add(shard);
    const until = this.#clock.now() + (holds ? this.#settings.holdTermSeconds * 1000 : standByMs);
    while (!this.#released.has(shard) && this.#clock.now() < until) await this.#wait(holdPollMs);
    if (holds) this.#held.delete(shard);
    return { outcome: this.#released.has(shard) ? 'released' : 'again', generation: 1 };
  }

  #wait(ms: number): Promise<void> {
    return sleep(this.#clock, ms, never);
  }
}

const never = new AbortController().signal;

function shardOf(payload: Json): string {
  const shard = isJsonObject(payload) ? payload.shard : undefined;
  if (typeof shard === 'string') return shard;
  return isJsonObject(shard) && typeof shard.name === 'string' ? shard.name : '';
}

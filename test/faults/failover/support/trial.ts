import type { Decided } from '../../../../functions/failover/events.ts';
import type { FailoverRecord, Outcome } from '../../../../functions/failover/record.ts';
import type { InstanceDescription } from '../../../../local/postgres/description.ts';
import { pairOf } from '../../../e2e/support/failover-subject.ts';
import { type Acknowledged, Ledger } from '../../../e2e/support/ledger.ts';
import { waitFor } from '../../../support/wait-for.ts';
import type { Deployment } from './deployment.ts';

/** What a scenario works with: a healthy shard under load. */
export interface Scene {
  deployment: Deployment;
  shard: string;
  /** Identifier of its cluster. */
  cluster: string;
  writer: InstanceDescription;
  reader: InstanceDescription;
  epoch: number;
  ledger: Ledger;
  /** Further services that do not ask the shard map, to be stopped at the end. */
  others: Ledger[];
  /** When the old writer was known to be fenced, where a scenario looks: milliseconds since the epoch. */
  fencedAt?: number;
  /** Id of a backup that runs meanwhile. */
  backup?: string;
  /** What has to be undone at the end, beside the scenario's own repair. */
  undo: (() => Promise<unknown>)[];
  /** Whether all of that has been done. */
  ended: boolean;
}

export interface Scenario {
  name: string;
  /** What has to come of it. */
  expected: 'failover' | 'nothing' | 'held';
  /** Breaks something. */
  strike(scene: Scene): Promise<unknown>;
  /** Tells the platform; default: one alarm on the writer, delivered at once. */
  tell?(scene: Scene): Promise<readonly Decided[] | undefined>;
  /** What goes on while the platform acts. */
  meanwhile?(scene: Scene): Promise<unknown>;
  /** What follows the decision before the trial is over, for example what an operator does. */
  afterwards?(scene: Scene): Promise<unknown>;
  /** Repairs what was broken, so that the shard becomes healthy again. */
  mend?(scene: Scene): Promise<unknown>;
}

/** What one trial of a scenario showed. */
export interface Trial {
  scenario: string;
  /** Whether what had to come of it did, and nothing else; otherwise what did. */
  right: boolean;
  found: string;
  acknowledged: number;
  lost: number;
  /** Those of them that the new writer itself had acknowledged: there is no excuse for any. */
  lostByNew: number;
  /** Acknowledged by another instance than the new writer, and sent after that one had taken its first write. */
  foreign: number;
  /** Who acknowledged what was lost, and from when to when after the fault; empty where nothing was. */
  details: string;
  /** Those of them that it was asked for when it had been fenced; undefined: the scenario does not look. */
  afterFence?: number | undefined;
  /** From the fault to what the timeline says, in milliseconds. */
  decisionMs?: number | undefined;
  promotionMs?: number | undefined;
  firstWriteMs?: number | undefined;
  decisionToWriteMs?: number | undefined;
  /** The longest time in which no service got a write acknowledged. */
  gapMs: number;
}

/** Waits until a shard is well, has a reader that follows, and everybody knows of both. */
export async function settle(deployment: Deployment, shard: string): Promise<void> {
  for (const { identifier } of await deployment.clusters(shard)) {
    await deployment.control('settled', { cluster: identifier });
  }
  await waitFor(
    async () => {
      const instances = (await deployment.clusters(shard)).flatMap((cluster) => cluster.instances);
      return instances.every(({ status }) => status === 'available');
    },
    { what: `the instances of ${shard} to run` },
  );
  await waitFor(
    async () => {
      await deployment.watchdog();
      const state = (await deployment.record(shard))?.state ?? 'healthy';
      const probe = await deployment.probe(shard);
      const { writer } = pairOf(await deployment.cluster(shard));
      return (
        (state === 'healthy' || state === 'failed_over') &&
        probe?.ok === true &&
        probe.writerInstance === writer.identifier &&
        probe.otherWriters.length === 0 &&
        probe.readers.length > 0 &&
        probe.readers.every(({ streaming }) => streaming)
      );
    },
    { what: `${shard} to be healthy`, timeoutMs: 150_000, intervalMs: 1000 },
  );
}

/** Lets a scenario happen once to a healthy shard under load. */
export async function attempt(
  deployment: Deployment,
  shard: string,
  scenario: Scenario,
  run: number,
): Promise<Trial> {
  await settle(deployment, shard);
  const cluster = await deployment.cluster(shard);
  const { epoch } = await deployment.shard(shard);
  const ledger = await Ledger.start(await deployment.route(shard), `${scenario.name} ${run} ${Date.now()}`);
  const { identifier } = cluster;
  // What is struck stays down: nobody but the platform does anything about it.
  await deployment.control('conduct', { cluster: identifier, restartAfterMs: null });
  const scene: Scene = {
    ...{ deployment, shard, cluster: identifier, epoch, ledger, others: [], undo: [], ended: false },
    ...pairOf(cluster),
  };
  try {
    await waitFor(() => ledger.acknowledged.length >= 100, { what: 'the services to write' });
    return await observe(scene, scenario);
  } finally {
    await end(scene, scenario);
  }
}

async function observe(scene: Scene, scenario: Scenario): Promise<Trial> {
  const { deployment, shard, ledger, epoch } = scene;
  await scenario.strike(scene);
  const struckAt = Date.now();
  const meanwhile = scenario.meanwhile?.(scene);
  const decided = await (scenario.tell?.(scene) ?? deployment.alarm(shard));
  const found = await becomes(scene, scenario.expected, decided ?? []);
  await meanwhile;
  await scenario.afterwards?.(scene);
  const served = Date.now();
  await waitFor(() => ledger.acknowledged.some(({ sentAt }) => sentAt > served), {
    what: `the services to write again after "${scenario.name}"`,
  });
  await end(scene, scenario);

  const now = await deployment.shard(shard);
  const record = await deployment.record(shard);
  const last = now.epoch > epoch ? await withInstance(deployment, shard, record?.last) : undefined;
  const moves = now.epoch - epoch;
  const lost = await ledger.lost();
  const rightMoves = scenario.expected === 'nothing' ? moves === 0 : moves <= 1;
  return {
    scenario: scenario.name,
    right: found === scenario.expected && rightMoves,
    found: rightMoves ? found : `${found}, ${moves} times`,
    acknowledged: ledger.acknowledged.length,
    lost: lost.length,
    lostByNew: lost.filter(({ instance }) => instance === (last?.target ?? scene.writer.identifier)).length,
    details: detailsOf(scene, lost, struckAt),
    foreign: foreignWrites(scene, last).length,
    afterFence: scene.fencedAt === undefined ? undefined : afterFence(scene, last),
    ...partsOf(last, struckAt),
    gapMs: ledger.longestGapMs(struckAt, Date.now()),
  };
}

/** Repairs what was broken, and has the services stop. Doing it again changes nothing. */
async function end(scene: Scene, scenario: Scenario): Promise<void> {
  if (scene.ended) return;
  scene.ended = true;
  await scenario.mend?.(scene);
  for (const undo of scene.undo.splice(0)) await undo();
  await Promise.all([scene.ledger, ...scene.others].map((each) => each.stop()));
}

/** Of a global database a cluster is chosen: the instance that has become the writer there. */
async function withInstance(deployment: Deployment, shard: string, last: Outcome | undefined) {
  if (last?.target?.startsWith('arn:') !== true) return last;
  return { ...last, target: pairOf(await deployment.cluster(shard)).writer.identifier };
}

async function becomes(
  { deployment, shard, epoch }: Scene,
  expected: Scenario['expected'],
  decided: readonly Decided[],
): Promise<string> {
  const mine = decided.find((each) => each.shard === shard);
  if (expected === 'failover') {
    const done = (record: FailoverRecord) =>
      record.state === 'held' || (record.state === 'failed_over' && (record.last?.toEpoch ?? 0) > epoch);
    const record = await deployment.recorded(shard, 'failed over', done, 240_000);
    return record.state === 'held' ? `held: ${record.reason}` : 'failover';
  }
  const outcome = mine?.outcome === 'started' ? 'failover' : 'nothing';
  const state = (await deployment.record(shard))?.state;
  return state === 'held' ? 'held' : outcome;
}

function detailsOf({ writer }: Scene, lost: readonly Acknowledged[], struckAt: number): string {
  if (lost.length === 0) return '';
  const times = lost.map(({ at }) => at - struckAt);
  const by = [...new Set(lost.map(({ instance }) => instance))].join(', ');
  return `${lost.length} by ${by}, ${Math.min(...times)} to ${Math.max(...times)} ms; ${writer.identifier} was struck`;
}

/** What others than the new writer were sent, and took, after it had taken its first write. */
function foreignWrites({ ledger, others, writer }: Scene, last: Outcome | undefined): Acknowledged[] {
  const all = [ledger, ...others].flatMap(({ acknowledged }) => acknowledged);
  const firstWriteAt = last?.timeline.firstWriteAt;
  if (last === undefined || firstWriteAt === undefined || last.target === writer.identifier) return [];
  const first = Date.parse(firstWriteAt);
  return all.filter(({ instance, sentAt }) => instance !== last.target && sentAt > first);
}

function afterFence(scene: Scene, last: Outcome | undefined): number {
  const { fencedAt = Number.POSITIVE_INFINITY } = scene;
  return foreignWrites(scene, last).filter(({ sentAt }) => sentAt > fencedAt).length;
}

function partsOf(last: Outcome | undefined, struckAt: number): Partial<Trial> {
  if (last?.timeline === undefined) return {};
  const { decidedAt, promotedAt, firstWriteAt } = last.timeline;
  const between = (from: string | undefined, to: string | undefined) =>
    from === undefined || to === undefined ? undefined : Date.parse(to) - Date.parse(from);
  return {
    decisionMs: decidedAt === undefined ? undefined : Date.parse(decidedAt) - struckAt,
    promotionMs: between(decidedAt, promotedAt),
    firstWriteMs: between(promotedAt, firstWriteAt),
    decisionToWriteMs: between(decidedAt, firstWriteAt),
  };
}

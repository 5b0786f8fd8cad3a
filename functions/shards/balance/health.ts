import type { ProbeRecord } from '../../failover/model.ts';
import type { FailoverRecord } from '../../failover/record.ts';
import type { ShardHealth } from '../health/model.ts';
import type { ShardState } from './combine.ts';
import type { Balance } from './settings.ts';

/** Why a shard's slots are better left where they are. */
export const blockCodes = [
  'writer-down',
  'unhealthy',
  'failing-over',
  'recent-failover',
  'paused',
  'backup-running',
  'restore-running',
  'lag',
  'disk',
  'not-analyzed',
  'analysis-old',
] as const;
export type BlockCode = (typeof blockCodes)[number];

export interface Block {
  readonly code: BlockCode;
  /** Whether slots must not leave it, and must not come to it. */
  readonly leave: boolean;
  readonly come: boolean;
  readonly detail: string;
}

/** A backup or a restore that is queued or runs. */
export interface RunningWork {
  readonly id: string;
  readonly kind: 'backup' | 'restore';
  readonly shards: readonly string[];
}

/** What a shard is judged by. */
export interface ShardFacts {
  readonly state: ShardState;
  readonly failover: FailoverRecord | undefined;
  readonly probe: ProbeRecord | undefined;
  /** How it stood when it was last looked at on schedule. */
  readonly health: ShardHealth | undefined;
  readonly work: readonly RunningWork[];
}

/** A shard that is this full gets nothing more. */
const fullShare = 0.9;
/** What health was found longer ago says nothing about now, in milliseconds. */
const staleHealthMs = 15 * 60_000;
/** An analysis that is older says nothing about today, in milliseconds. */
const oldMs = 7 * 86_400_000;

/** What must not be moved from or to a shard at present, and why; empty where all may. */
export function blocksOf(facts: ShardFacts, { maxLagSeconds }: Balance, now: number): Block[] {
  const both = (code: BlockCode, detail: string): Block => ({ code, leave: true, come: true, detail });
  return [
    ...failoverBlocks(facts, now, both),
    ...healthBlocks(facts, now, both),
    ...workBlocks(facts, both),
    ...lagBlocks(facts, maxLagSeconds, both),
    ...diskBlocks(facts),
    ...analysisBlocks(facts, now, both),
  ];
}

type Both = (code: BlockCode, detail: string) => Block;

function failoverBlocks({ failover, probe }: ShardFacts, now: number, both: Both): Block[] {
  const blocks: Block[] = [];
  const state = failover?.state;
  switch (state) {
    case 'failing_over':
      blocks.push(both('failing-over', 'Its writer is being replaced.'));
      break;
    case 'suspect':
    case 'held':
      blocks.push(both('writer-down', failover?.reason ?? 'Its writer does not serve.'));
      break;
    case 'failed_over':
      if (failover?.cooldownUntil !== undefined && Date.parse(failover.cooldownUntil) > now) {
        blocks.push(
          both('recent-failover', `It has a new writer; it is watched until ${failover.cooldownUntil}.`),
        );
      }
      break;
    case 'healthy':
    case undefined:
      if (probe?.ok === false && !probe.cutOff) {
        blocks.push(both('writer-down', probe.reason ?? 'Its writer did not answer the last probe.'));
      }
      break;
    default:
      state satisfies never;
  }
  if (failover?.paused !== undefined) {
    const { since, reason } = failover.paused;
    blocks.push(both('paused', `Failover has been on hold since ${since}: ${reason}`));
  }
  return blocks;
}

function healthBlocks({ health }: ShardFacts, now: number, both: Both): Block[] {
  if (health === undefined || health.state === 'healthy') return [];
  if (now - Date.parse(health.at) > staleHealthMs) return [];
  // Readers that lag have a reason of their own.
  const reasons = health.reasons.filter(({ code }) => code !== 'replica-lag' && code !== 'not-streaming');
  return reasons.slice(0, 5).map(({ code, message }) => both('unhealthy', `${code}: ${message}`));
}

function workBlocks({ work, state }: ShardFacts, both: Both): Block[] {
  return work
    .filter(({ shards }) => shards.includes(state.shard))
    .map(({ id, kind }) => both(`${kind}-running`, `The ${kind} ${id} is at work on it.`));
}

function lagBlocks({ probe }: ShardFacts, maxLagSeconds: number, both: Both): Block[] {
  const late = (probe?.readers ?? []).filter(
    ({ reachable, lagSeconds }) => !reachable || (lagSeconds ?? 0) > maxLagSeconds,
  );
  return late.map(({ instance, reachable, lagSeconds }) =>
    both(
      'lag',
      reachable
        ? `The reader ${instance} is ${Math.round(lagSeconds ?? 0)} s behind: moving rows would put it back further.`
        : `The reader ${instance} is not reachable: it would miss what is moved.`,
    ),
  );
}

function diskBlocks({ state: { analysis, capacityBytes } }: ShardFacts): Block[] {
  const used = analysis?.found?.databaseBytes;
  if (used === undefined || capacityBytes === undefined || used < capacityBytes * fullShare) return [];
  const percent = Math.floor((100 * used) / capacityBytes);
  return [
    {
      ...{ code: 'disk', leave: false, come: true },
      detail: `It is ${percent} % full: ${used} of ${capacityBytes} bytes.`,
    },
  ];
}

function analysisBlocks({ state: { analysis } }: ShardFacts, now: number, both: Both): Block[] {
  if (analysis?.found === undefined) {
    return [both('not-analyzed', analysis?.error?.message ?? 'Nobody has looked what lies on it yet.')];
  }
  if (analysis.error !== undefined && analysis.error.at > analysis.found.at) {
    return [both('not-analyzed', `The last analysis failed: ${analysis.error.message}`)];
  }
  if (now - Date.parse(analysis.found.at) > oldMs) {
    return [both('analysis-old', `What lies on it was last counted at ${analysis.found.at}.`)];
  }
  return [];
}

import type { Target } from './candidates.ts';
import type { GlobalDatabase } from './discovery/global-database.ts';
import type { Examination } from './examination.ts';
import type { Address, ProbeRecord, ShardInstances } from './model.ts';
import type { FailoverAction, ShardPolicy } from './policy.ts';
import type { FailoverKind, FailoverRecord, Trigger } from './record.ts';

/** What somebody asks for. */
export interface FailoverRequest {
  readonly kind: FailoverKind;
  readonly trigger: Exclude<Trigger, 'engine'>;
  /** Id of the instance to be the writer; of a global database the ARN of the cluster. Default: the one that lags least. */
  readonly target?: string | undefined;
  /** Bytes of log that may be lost at most, or `any`: also where nobody knows how many. Default: the configured limit. */
  readonly acceptedLoss?: number | 'any' | undefined;
}

export interface DecisionInput {
  readonly record: FailoverRecord;
  readonly probe: ProbeRecord | undefined;
  readonly shard: { readonly epoch: number; readonly writer: Address };
  readonly instances: ShardInstances | undefined;
  /** Of a shard whose cluster is part of a global database: who writes there, and who could. */
  readonly global?: GlobalDatabase | undefined;
  /** Absent before the re-check. */
  readonly examination?: Examination | undefined;
  readonly request: FailoverRequest;
  readonly policy: ShardPolicy;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export const refusals = [
  'observe-only',
  'in-progress',
  'not-automatic',
  'paused',
  'cooldown',
  'writer-answers',
  'writer-does-not-answer',
  'cut-off',
  'engine-acts',
  'second-writer',
  'attempts-exhausted',
  'flapping',
  'no-candidate',
  'unknown-target',
  'unfit-target',
  'lag-unknown',
  'lag-too-high',
] as const;
export type Refusal = (typeof refusals)[number];

export type Decision =
  /** Nothing speaks against it so far: look again before anything is done. */
  | { readonly kind: 'examine' }
  | {
      readonly kind: 'nothing';
      readonly code: Refusal;
      readonly reason: string;
      /** Whether the shard is without a writer, and nothing will mend that but a person. */
      readonly hold: boolean;
      readonly lagBytes?: number | undefined;
    }
  | {
      readonly kind: 'act';
      readonly action: Exclude<FailoverAction, 'observe'>;
      readonly target: Target;
      /** Whether it is the writer already: only the shard map has to follow. */
      readonly moved?: true;
      /** What the shard map is to name as the writer. */
      readonly writer: Address;
      readonly writerInstance: string | undefined;
      /** Bytes of log that are lost as far as is known; null: nobody knows. */
      readonly lagBytes: number | null;
    };

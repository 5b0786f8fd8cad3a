import { ContendedRecordError } from './errors.ts';
import { complete, fail } from './operation-record.ts';
import { type FailoverPolicy, policyOf } from './policy.ts';
import type { FailoverRecord, Operation, Outcome } from './record.ts';
import type { FailoverStore } from './store.ts';
import type { Moment } from './transition.ts';

/** How often a record is read anew that somebody else has changed. */
const maximumRounds = 5;

export interface Concluded {
  readonly outcome: 'completed' | 'failed' | 'nothing-to-do';
  readonly record?: FailoverRecord;
  readonly last?: Outcome;
}

/**
 * Ends an operation whose execution is over. Whether it was done is what the shard map says, not what the execution did:
 * one that broke after the map had moved is done. Doing it again changes nothing.
 *
 * @throws DependencyError, ContendedRecordError
 */
export async function conclude(
  {
    store,
    policy,
  }: { readonly store: Pick<FailoverStore, 'record' | 'shard' | 'save'>; readonly policy: FailoverPolicy },
  shard: string,
  name: string,
  failure: { readonly name: string; readonly message: string } | undefined,
  moment: Moment,
): Promise<Concluded> {
  for (let round = 0; round < maximumRounds; round++) {
    const record = await store.record(shard);
    if (record === undefined || !isActing(record) || record.operation.name !== name) {
      return { outcome: 'nothing-to-do' };
    }
    const { toEpoch, target } = record.operation;
    const promotion = (await store.shard(shard))?.promotion;
    const done = promotion?.epoch === toEpoch && promotion.instance === target.instance;
    const next = done
      ? complete(record, promotion, policyOf(policy, shard), moment)
      : fail(record, failureOf(failure), moment);
    const saved = await store.save(next);
    if (saved !== undefined) {
      return {
        outcome: done ? 'completed' : 'failed',
        record: saved,
        ...(saved.last !== undefined && { last: saved.last }),
      };
    }
  }
  throw new ContendedRecordError(`The record of ${shard} is changed by others all the time.`);
}

export const isActing = (record: FailoverRecord): record is FailoverRecord & { operation: Operation } =>
  record.state === 'failing_over' && record.operation !== undefined;

function failureOf(failure: { readonly name: string; readonly message: string } | undefined): {
  error: string;
  unharmed: boolean;
} {
  if (failure === undefined) {
    return { error: 'The workflow ended without having moved the shard map.', unharmed: false };
  }
  const { name, message } = failure;
  return {
    error: message === '' ? name : `${name}: ${message}`,
    unharmed: name === 'SwitchoverRefusedError',
  };
}

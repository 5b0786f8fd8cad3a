import { BreakerOpenError } from '../../shared/circuit-breaker.ts';
import {
  NotSupportedError,
  ProviderRefusedError,
  ProviderThrottledError,
  ProviderUnreachableError,
  UnknownSiteError,
} from '../providers/errors.ts';
import type { PurgeDependencies, Stepped } from './dependencies.ts';
import { end } from './ending.ts';
import { hasEnded, type PurgeRecord } from './record.ts';
import { step } from './steps.ts';

/** How long a provider may be unreachable until a purge is given up, in milliseconds. */
const patienceMs = 30 * 60_000;
const troubleWaitSeconds = 30;
const longestWaitSeconds = 600;
const maximumSteps = 200;

/**
 * Takes a purge as far as it goes without waiting. Every step is saved before the next, and comes to the same when it is done again.
 *
 * @returns the record, and how long to wait until it goes on; nothing to wait for when it has ended.
 * @throws DependencyError
 */
export async function advance(deps: PurgeDependencies, from: PurgeRecord): Promise<Stepped> {
  let record = from;
  for (let steps = 0; steps < maximumSteps; steps++) {
    if (hasEnded(record)) return { record };
    if (!deps.hasTime()) return { record, waitSeconds: 0 };
    const { record: next, waitSeconds } = await attempt(deps, record);
    if (next !== record) {
      const saved = await deps.store.save(next);
      // Somebody has canceled it meanwhile; what the step has done is found again.
      record = saved ?? (await deps.store.get(record.id)) ?? record;
      if (saved === undefined) continue;
    }
    if (waitSeconds !== undefined && !hasEnded(record)) return { record, waitSeconds };
  }
  return { record, waitSeconds: 1 };
}

async function attempt(deps: PurgeDependencies, record: PurgeRecord): Promise<Stepped> {
  try {
    const stepped = await step(deps, record);
    const { troubleSince, ...well } = stepped.record;
    const recovered = troubleSince !== undefined && record.troubleSince === troubleSince;
    return recovered && stepped.record.stage !== 'verifying' ? { ...stepped, record: well } : stepped;
  } catch (error) {
    return onTrouble(deps, record, error);
  }
}

async function onTrouble(deps: PurgeDependencies, record: PurgeRecord, error: unknown): Promise<Stepped> {
  if (error instanceof ProviderThrottledError) {
    return { record, waitSeconds: clamp(error.retryAfterMs / 1000) };
  }
  if (error instanceof ProviderUnreachableError || error instanceof BreakerOpenError) {
    const since = record.troubleSince ?? new Date(deps.now()).toISOString();
    if (deps.now() - Date.parse(since) > patienceMs) {
      return {
        record: await end(deps, record, 'failed', { code: 'provider-unreachable', message: error.message }),
      };
    }
    return { record: { ...record, troubleSince: since }, waitSeconds: troubleWaitSeconds };
  }
  if (
    error instanceof ProviderRefusedError ||
    error instanceof NotSupportedError ||
    error instanceof UnknownSiteError
  ) {
    return {
      record: await end(deps, record, 'failed', { code: 'provider-refused', message: error.message }),
    };
  }
  throw error;
}

const clamp = (seconds: number): number => Math.min(longestWaitSeconds, Math.max(1, Math.ceil(seconds)));

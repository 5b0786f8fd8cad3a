import { AwsError } from '../aws/operation.ts';
import { type Clock, sleep } from '../scheduler/clock.ts';

/** On whose behalf something is delivered. */
export interface DeliveryOrigin {
  /** The AWS service that calls the target, for example `events.amazonaws.com`. */
  service: string;
  /** What made it do so: a rule, schedule or alarm. */
  sourceArn: string;
  /** The role the service assumes for it; without one the target's own policy decides. */
  roleArn?: string;
  /** Subject of a message, for topics. */
  subject?: string;
}

/**
 * Hands something to a target: a function, a state machine, a topic, a queue.
 *
 * @throws AwsError when the target refuses it.
 */
export type Deliver = (targetArn: string, payload: unknown, origin: DeliveryOrigin) => Promise<void>;

export interface DeliveryPolicy {
  /** Attempts after the first; 0 to 185. */
  maximumRetryAttempts: number;
  maximumEventAgeSeconds: number;
  /** Queue that gets what could not be delivered. */
  deadLetterArn?: string | undefined;
}

export interface DeliveryEnvironment {
  clock: Clock;
  deliver: Deliver;
  /** 0 ≤ x < 1, for jitter. */
  random(): number;
  /** A line for the person at the keyboard when something is given up. */
  report(line: string): void;
  /** Aborted when the runtime stops. */
  signal: AbortSignal;
}

/** On AWS retries go on for a day; here they end while somebody is still looking. */
export const localRetryLimit = 8;
const longestDelayMs = 60_000;
/** Trying again does not help against these. */
const final = /AccessDenied|NotFound|DoesNotExist|NotEmulated|Validation|Invalid/;

/**
 * Delivers, with retries and a dead-letter queue.
 *
 * @returns whether the target took it.
 */
export async function deliverWithRetries(
  environment: DeliveryEnvironment,
  targetArn: string,
  payload: unknown,
  origin: DeliveryOrigin,
  policy: DeliveryPolicy,
): Promise<boolean> {
  const { clock, deliver, random, report, signal } = environment;
  const begun = clock.now();
  const attempts = Math.min(policy.maximumRetryAttempts, localRetryLimit);
  for (let attempt = 0; ; attempt += 1) {
    try {
      await deliver(targetArn, payload, origin);
      return true;
    } catch (error) {
      const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      const delayMs = Math.min(1000 * 2 ** attempt, longestDelayMs) * (0.5 + random() / 2);
      const tooOld = clock.now() + delayMs - begun > policy.maximumEventAgeSeconds * 1000;
      if (attempt >= attempts || tooOld || (error instanceof AwsError && final.test(error.code))) {
        report(`${origin.sourceArn} could not reach ${targetArn}: ${reason}`);
        await toDeadLetters(environment, payload, origin, policy);
        return false;
      }
      await sleep(clock, delayMs, signal);
    }
  }
}

async function toDeadLetters(
  { deliver, report }: DeliveryEnvironment,
  payload: unknown,
  origin: DeliveryOrigin,
  { deadLetterArn }: DeliveryPolicy,
): Promise<void> {
  if (deadLetterArn === undefined) return;
  const { roleArn: _, ...service } = origin;
  try {
    await deliver(deadLetterArn, payload, service);
  } catch (error) {
    report(`${origin.sourceArn} could not reach its dead-letter queue ${deadLetterArn}: ${error}`);
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import type * as z from 'zod';
import { redact } from '../shared/redact.ts';
import type { bootstrapContract } from './contract.ts';

export type CustomResourceEvent = z.output<
  (typeof bootstrapContract)['functions']['custom-resource']['event']
>;

export type Outcome =
  | { readonly status: 'SUCCESS'; readonly data: Readonly<Record<string, string>> }
  | { readonly status: 'FAILED'; readonly reason: string };

/** CloudFormation reads answers of at most this many bytes. */
export const maximumAnswerBytes = 4096;
const attempts = 4;

/**
 * The answer to one event, as CloudFormation reads it. The physical id never changes, so nothing is replaced. Data
 * holds no secret (those are in Secrets Manager) and may be shown; what makes the answer too long is left out,
 * the longest first.
 */
export function toAnswer(event: CustomResourceEvent, outcome: Outcome): string {
  const { StackId, RequestId, LogicalResourceId } = event;
  const PhysicalResourceId = event.PhysicalResourceId ?? 'mainstay-bootstrap';
  const identity = { PhysicalResourceId, StackId, RequestId, LogicalResourceId };
  if (outcome.status === 'FAILED') {
    return JSON.stringify({ Status: 'FAILED', ...identity, Reason: redact(outcome.reason).slice(0, 1_000) });
  }
  const members = Object.entries(outcome.data).sort(([, one], [, other]) => one.length - other.length);
  for (;;) {
    const Data = Object.fromEntries(members);
    const answer = JSON.stringify({ Status: 'SUCCESS', ...identity, NoEcho: false, Data });
    if (Buffer.byteLength(answer) <= maximumAnswerBytes || members.pop() === undefined) return answer;
  }
}

/**
 * Puts an answer where CloudFormation waits for it.
 *
 * @throws Error when it cannot be delivered; CloudFormation then waits until its own time limit.
 */
export async function deliver(url: string, answer: string, pauseMs = 500): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      // As bytes, because the presigned URL allows for no content type.
      const response = await fetch(url, {
        method: 'PUT',
        body: new TextEncoder().encode(answer),
        signal: AbortSignal.timeout(10_000),
      });
      if (response.ok) return;
      throw new Error(`CloudFormation's answer URL replied ${response.status}`);
    } catch (error) {
      if (attempt === attempts) throw error;
      await sleep(pauseMs * 2 ** attempt);
    }
  }
}

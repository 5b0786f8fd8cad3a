import * as z from 'zod';
import type { EventContext } from '../shared/event-handler.ts';
import { redactError } from '../shared/redact.ts';
import { type CustomResourceEvent, deliver, type Outcome, toAnswer } from './cloudformation.ts';

/** Time kept back to answer before Lambda ends the invocation. */
const answerMs = 15_000;

/**
 * Does the work that an event asks for and answers CloudFormation whatever comes of it: also when the work fails
 * or takes too long, so that no deployment hangs. Nothing is done for `Delete`.
 */
export async function answerEvent(
  event: CustomResourceEvent,
  context: EventContext,
  work: (context: EventContext) => Promise<Readonly<Record<string, string>>>,
): Promise<void> {
  const outcome = event.RequestType === 'Delete' ? done({}) : await attempt(context, work);
  // Attempted again by Lambda when it throws; an outcome of FAILED is an answer and must not be.
  await deliver(event.ResponseURL, toAnswer(event, outcome));
}

async function attempt(
  context: EventContext,
  work: (context: EventContext) => Promise<Readonly<Record<string, string>>>,
): Promise<Outcome> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new Error('The bootstrap did not end in time')),
      Math.max(0, context.remainingMs() - answerMs),
    );
  });
  try {
    return done(await Promise.race([work(context), late]));
  } catch (error) {
    redactError(error);
    context.log.error('The bootstrap failed', { error: error instanceof Error ? error : 'unknown' });
    return { status: 'FAILED', reason: reasonOf(error) };
  } finally {
    clearTimeout(timer);
  }
}

function done(data: Readonly<Record<string, string>>): Outcome {
  return { status: 'SUCCESS', data };
}

function reasonOf(error: unknown): string {
  if (error instanceof z.ZodError) {
    const problems = error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    return `The properties are not what the bootstrap takes: ${problems.join('; ')}`;
  }
  return error instanceof Error ? `${error.name}: ${error.message}` : 'unknown error';
}

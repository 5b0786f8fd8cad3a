import { AwsError } from '../aws/operation.ts';
import { asyncRequestLimit, requestTooLarge, syncRequestLimit } from './failures.ts';

/**
 * Refuses a payload that Lambda would not take: too large for the kind of invocation, or no JSON.
 *
 * @throws {AwsError} `RequestEntityTooLargeException`, `InvalidRequestContentException`.
 */
export function checkPayload(payload: string, type: 'RequestResponse' | 'Event' | 'DryRun'): void {
  const kind = type === 'Event' ? 'Event' : 'RequestResponse';
  const bytes = Buffer.byteLength(payload);
  if (bytes > (kind === 'Event' ? asyncRequestLimit : syncRequestLimit)) throw requestTooLarge(bytes, kind);
  try {
    JSON.parse(payload);
  } catch (error) {
    throw new AwsError(
      'InvalidRequestContentException',
      `Could not parse request body into json: ${error instanceof Error ? error.message : String(error)}`,
      400,
      { Type: 'User' },
    );
  }
}

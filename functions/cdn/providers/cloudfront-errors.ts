import { CloudFrontServiceException } from '@aws-sdk/client-cloudfront';
import type { CircuitBreaker } from '../../shared/circuit-breaker.ts';
import { NamedError } from '../../shared/named-error.ts';
import { ProviderRefusedError, ProviderThrottledError, ProviderUnreachableError } from './errors.ts';

/** How long to wait while too much is in progress: an invalidation takes a minute or so. */
const quotaWaitMs = 20_000;
const throttleWaitMs = 5_000;

/** Whether what was asked for does not exist. */
export const isMissing = (error: unknown): boolean =>
  error instanceof Error && error.name === 'EntityNotFound';

/**
 * Runs calls of the SDK, whose client has a bounded number of attempts.
 *
 * @throws ProviderUnreachableError, ProviderThrottledError, ProviderRefusedError, BreakerOpenError
 */
export function guard<T>(breaker: CircuitBreaker, run: () => Promise<T>): Promise<T> {
  return breaker.run(
    async () => {
      try {
        return await run();
      } catch (error) {
        throw translated(error);
      }
    },
    (error) => error instanceof ProviderUnreachableError,
  );
}

function translated(error: unknown): unknown {
  if (error instanceof NamedError) return error;
  const name = error instanceof Error ? error.name : 'unknown';
  if (name === 'TooManyInvalidationsInProgress') {
    return new ProviderThrottledError('Too many invalidations are in progress.', quotaWaitMs);
  }
  if (name === 'Throttling' || name === 'ThrottlingException' || name === 'TooManyRequestsException') {
    return new ProviderThrottledError('CloudFront wants fewer requests.', throttleWaitMs);
  }
  const message = error instanceof Error ? `${name}: ${error.message}` : name;
  if (error instanceof CloudFrontServiceException && error.$fault === 'client') {
    return new ProviderRefusedError(`CloudFront has refused: ${message}`, { cause: error });
  }
  return new ProviderUnreachableError(`CloudFront did not answer: ${message}`, { cause: error });
}

import { BreakerOpenError } from '../shared/circuit-breaker.ts';
import { DependencyError } from '../shared/dependency.ts';
import { Problem } from '../shared/problem.ts';
import { supportedBy } from './providers/abilities.ts';
import {
  InvalidRequestError,
  NotSupportedError,
  ProviderRefusedError,
  ProviderThrottledError,
  ProviderUnreachableError,
  UnknownSiteError,
} from './providers/errors.ts';
import type { EdgeProvider } from './providers/provider.ts';

/** The answer where no provider is configured. */
export const noProvider = (): Problem =>
  new Problem(
    'conflict',
    'No edge provider is configured: nothing is cached that could be purged or warmed.',
    {
      extensions: { code: 'no-provider', supported: [] },
    },
  );

/** Runs what asks the provider, and says in the words of the API what went wrong. */
export async function answerProvider<T>(
  provider: EdgeProvider | undefined,
  run: (provider: EdgeProvider) => Promise<T>,
): Promise<T> {
  if (provider === undefined) throw noProvider();
  try {
    return await run(provider);
  } catch (error) {
    throw problemOf(error, provider);
  }
}

/** What went wrong, in the words of the API; errors of another kind are as they were. `part` is the part of the request it is about. */
export function problemOf(
  error: unknown,
  { kind, abilities }: Pick<EdgeProvider, 'kind' | 'abilities'>,
  part: 'body' | 'query' = 'body',
): unknown {
  if (error instanceof InvalidRequestError) {
    const [first] = error.errors;
    const detail = first === undefined ? error.message : `${first.field}: ${first.message}.`;
    return new Problem('unprocessable-request', detail, { errors: error.errors.slice(0, 20) });
  }
  if (error instanceof NotSupportedError) {
    return new Problem('conflict', error.message, {
      errors: [{ field: `${part}.${error.field}`, message: error.message }],
      extensions: { code: 'not-supported', provider: kind, supported: supportedBy(abilities) },
    });
  }
  if (error instanceof UnknownSiteError) {
    return new Problem('unprocessable-request', error.message, {
      errors: [{ field: `${part}.website`, message: error.message }],
    });
  }
  if (error instanceof ProviderRefusedError) {
    return new Problem('conflict', error.message, {
      extensions: { code: 'provider-refused', provider: kind },
    });
  }
  if (error instanceof ProviderThrottledError || error instanceof BreakerOpenError) {
    return unavailable(error.message, error.retryAfterMs / 1000, error);
  }
  if (error instanceof ProviderUnreachableError) return unavailable(error.message, 30, error);
  if (error instanceof DependencyError) {
    return unavailable('A part of AWS that this needs did not answer. Try again later.', 5, error);
  }
  return error;
}

const unavailable = (detail: string, seconds: number, cause: unknown): Problem =>
  new Problem('not-available', detail, { headers: { 'retry-after': String(Math.ceil(seconds)) }, cause });

import { NamedError } from '../../shared/named-error.ts';
import type { FieldError } from '../../shared/problem.ts';

/** The provider did not answer, or not as it promises to. Worth another try later. */
export class ProviderUnreachableError extends NamedError {}

/** The provider wants fewer requests. Nothing was done. */
export class ProviderThrottledError extends NamedError {
  /** How long it wants to be left alone, in milliseconds. */
  readonly retryAfterMs: number;

  constructor(message: string, retryAfterMs: number) {
    super(message);
    this.retryAfterMs = retryAfterMs;
  }
}

/** The provider has refused what was asked: asking again comes to the same. */
export class ProviderRefusedError extends NamedError {}

/** The provider has nothing that does what was asked. */
export class NotSupportedError extends NamedError {
  /** The part of the request that asks for it. */
  readonly field: string;

  constructor(field: string, message: string) {
    super(message);
    this.field = field;
  }
}

/** There is no such website at the provider, or it is not of this deployment. */
export class UnknownSiteError extends NamedError {}

/** Parts of a request are well formed, and cannot be what they are to be. */
export class InvalidRequestError extends NamedError {
  readonly errors: readonly FieldError[];

  constructor(errors: readonly FieldError[]) {
    super(errors[0]?.message ?? 'The request is not valid.');
    this.errors = errors;
  }
}

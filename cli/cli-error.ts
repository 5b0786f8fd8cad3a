import type { Outcome } from './exit-codes.ts';

/** Ends the command with a message for the operator: what is wrong and what to do next, without a stack trace. */
export class CliError extends Error {
  readonly outcome: Outcome;

  constructor(outcome: Outcome, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CliError';
    this.outcome = outcome;
  }
}

import { NamedError } from '../../shared/named-error.ts';

/** A schedule expression or a time zone is not valid. Nothing was changed. */
export class InvalidScheduleError extends NamedError {
  /** The field of the rule. */
  readonly field: string;

  constructor(field: string, message: string) {
    super(message);
    this.field = field;
  }
}

/** Somebody else changed the rule at the same time. */
export class AutomationChangedError extends NamedError {
  constructor() {
    super('The automation was changed by somebody else at the same time: read it, then try again.');
  }
}

/**
 * Failures by the name that a workflow's `ErrorEquals`, a backup's `error.code` and a test see. The
 * message says what happened and, where it is known, what would mend it.
 */
export class NamedError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

import { NamedError } from '../../shared/named-error.ts';

/** The edge gave no whole answer. */
export class EdgeRequestError extends NamedError {
  readonly code: 'timeout' | 'connection-failed' | 'too-large' | 'name-not-resolved';

  constructor(code: EdgeRequestError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

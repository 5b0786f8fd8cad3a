import { NamedError } from '../shared/named-error.ts';

/** The operation is not the shard's present one any more: whoever does its steps stops. */
export class SupersededError extends NamedError {}

/** A switchover would lose something, or take too long: the writer is as it was. */
export class SwitchoverRefusedError extends NamedError {}

/** The instance that was chosen does not serve as the writer yet. */
export class NotYetWriterError extends NamedError {}

/** Others have changed a shard's record each time that it was to be written: worth another try later. */
export class ContendedRecordError extends NamedError {}

import { NamedError } from '../../shared/named-error.ts';

/** A message is not what the encoding it claims to have makes of an OTLP message. Sending it again changes nothing. */
export class MalformedOtlp extends NamedError {}

import type { ErrorWriter } from '../../shared/http-response.ts';
import type { Problem } from '../../shared/problem.ts';

/** The two encodings of OTLP, by their content types. An answer has that of its request. */
export const otlpTypes = { protobuf: 'application/x-protobuf', json: 'application/json' } as const;
export type OtlpType = (typeof otlpTypes)[keyof typeof otlpTypes];

/** The encoding that a request's content type names: JSON where it names none. */
export function otlpTypeOf(contentType: string | undefined): OtlpType {
  const [type = ''] = (contentType ?? '').toLowerCase().split(';');
  return type.trim() === otlpTypes.protobuf ? otlpTypes.protobuf : otlpTypes.json;
}

/** What is said of a request that was accepted. Nothing rejected and a message is a warning. */
export interface PartialSuccess {
  /** What the signal calls what is rejected, in JSON. */
  readonly member: 'rejectedSpans' | 'rejectedDataPoints';
  readonly rejected: number;
  readonly message: string;
}

/** An `Export…ServiceResponse`: those of all signals are written alike. */
export function exportResponse(
  type: OtlpType,
  { member, rejected, message }: PartialSuccess,
): string | Uint8Array {
  const nothingToSay = rejected === 0 && message === '';
  if (type === otlpTypes.protobuf) {
    if (nothingToSay) return new Uint8Array();
    return messageField(1, Buffer.concat([uintField(1, rejected), textField(2, message)]));
  }
  if (nothingToSay) return '{}';
  return JSON.stringify({ partialSuccess: { [member]: String(rejected), errorMessage: message } });
}

/** Writes an error as a `google.rpc.Status`, in the encoding of the request. */
export const writeOtlpError: ErrorWriter = (problem, { traceId, contentType }) => {
  const type = otlpTypeOf(contentType);
  const { status } = problem;
  const code = rpcCodeOf(problem);
  const message = status < 500 ? problem.message : `${problem.message} (trace ${traceId})`;
  const body =
    type === otlpTypes.json
      ? JSON.stringify({ code, message })
      : Buffer.concat([uintField(1, code), textField(2, message)]);
  return { status, headers: { 'content-type': type }, body };
};

/** google.rpc.Code: what a gRPC server would say. */
function rpcCodeOf({ kind }: Problem): number {
  switch (kind) {
    case 'invalid-request':
    case 'unsupported-media-type':
    case 'unprocessable-request':
      return 3;
    case 'not-found':
      return 5;
    case 'conflict':
      return 10;
    case 'forbidden':
      return 7;
    case 'payload-too-large':
    case 'too-many-requests':
      return 8;
    case 'method-not-allowed':
      return 12;
    case 'internal-error':
      return 13;
    case 'not-available':
      return 14;
    case 'unauthorized':
      return 16;
  }
}

function uintField(field: number, value: number): Buffer {
  return value === 0 ? Buffer.alloc(0) : Buffer.from([...varint(field << 3), ...varint(value)]);
}

function textField(field: number, text: string): Buffer {
  return text === '' ? Buffer.alloc(0) : messageField(field, Buffer.from(text));
}

function messageField(field: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([...varint((field << 3) | 2), ...varint(content.length)]), content]);
}

/** Up to 2⁵³. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return [...bytes, rest];
}

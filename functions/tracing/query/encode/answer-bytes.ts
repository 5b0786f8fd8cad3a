import { gzipSync } from 'node:zlib';

/** The most bytes of an answer: Lambda hands on 6 MB, in which bytes are written as base64. */
export const maximumAnswerBytes = 4_400_000;
/** Smaller answers are sent as they are. */
const worthPacking = 16_384;

export interface AnswerBytes {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** An answer of bytes, packed where the caller takes that; undefined when it is too large all the same. */
export function answerBytes(
  body: Uint8Array,
  type: string,
  acceptEncoding: string | undefined,
): AnswerBytes | undefined {
  const packs = body.length >= worthPacking && /\bgzip\b/.test(acceptEncoding ?? '');
  const sent = packs ? gzipSync(body) : body;
  if (sent.length > maximumAnswerBytes) return undefined;
  const headers = { 'content-type': type, vary: 'accept, accept-encoding' };
  return { headers: packs ? { ...headers, 'content-encoding': 'gzip' } : headers, body: sent };
}

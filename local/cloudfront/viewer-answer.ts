import type { EdgeAnswer } from './cached-origin.ts';
import type { AnswerHeaders } from './freshness.ts';
import { rangeOf } from './ranges.ts';
import type { ViewerRequest } from './viewer.ts';

/** Headers of the origin that CloudFront does not pass on. */
const hidden = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'x-amz-id-2',
  'x-amz-request-id',
  'x-amzn-requestid',
]);

/**
 * An answer as one viewer asked for it: not at all when it has it already (304), in part (206), or whole. What streams
 * through is what the origin said.
 */
export function forViewer(request: ViewerRequest, answer: EdgeAnswer): EdgeAnswer {
  const headers = Object.fromEntries(Object.entries(answer.headers).filter(([name]) => !hidden.has(name)));
  const { body, status } = answer;
  if (!Buffer.isBuffer(body)) return { ...answer, headers };
  const whole = { ...headers, 'content-length': String(body.length) };
  if (status !== 200 || !['GET', 'HEAD'].includes(request.method)) return { ...answer, headers: whole };
  if (isUnchanged(request, headers)) {
    const { 'content-length': _, 'content-type': __, 'content-encoding': ___, ...rest } = headers;
    return { ...answer, status: 304, headers: rest, body: Buffer.alloc(0) };
  }
  const range = isSame(request.headers['if-range'], headers)
    ? rangeOf(request.headers.range, body.length)
    : undefined;
  if (range === undefined) return { ...answer, headers: { 'accept-ranges': 'bytes', ...whole } };
  if (range === 'unsatisfiable') {
    const unsatisfied = { ...headers, 'content-range': `bytes */${body.length}`, 'content-length': '0' };
    return { ...answer, status: 416, headers: unsatisfied, body: Buffer.alloc(0) };
  }
  const part = body.subarray(range.first, range.last + 1);
  return {
    ...answer,
    status: 206,
    headers: {
      ...headers,
      'content-range': `bytes ${range.first}-${range.last}/${body.length}`,
      'content-length': String(part.length),
    },
    body: part,
  };
}

/** Whether the viewer has this very answer (RFC 9110, section 13): If-None-Match goes before If-Modified-Since. */
function isUnchanged({ headers }: ViewerRequest, answer: AnswerHeaders): boolean {
  const tags = headers['if-none-match'];
  if (tags !== undefined) {
    const own = opaque(String(answer.etag ?? ''));
    return tags.trim() === '*' || (own !== '' && tags.split(',').some((tag) => opaque(tag) === own));
  }
  const since = Date.parse(headers['if-modified-since'] ?? '');
  const modified = Date.parse(String(answer['last-modified'] ?? ''));
  return modified <= since;
}

/** Whether If-Range, where there is one, names this answer. */
function isSame(ifRange: string | string[] | undefined, answer: AnswerHeaders): boolean {
  if (ifRange === undefined) return true;
  const validator = String(ifRange);
  return validator === answer.etag || validator === answer['last-modified'];
}

/** An entity tag for weak comparison. */
function opaque(tag: string): string {
  return tag.trim().replace(/^W\//, '');
}

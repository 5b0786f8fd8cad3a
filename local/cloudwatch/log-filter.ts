import { AwsError } from '../aws/operation.ts';

/**
 * A filter pattern of terms: all of `a "b c"`, any of `?a ?b`, none of `-a`. An empty one takes all.
 *
 * @throws AwsError for patterns over JSON, space-delimited fields and regular expressions.
 */
export function logFilter(pattern: string): (message: string) => boolean {
  const trimmed = pattern.trim();
  if (/^[{[%]/.test(trimmed)) {
    throw new AwsError(
      'NotEmulated',
      `The local runtime does not emulate the filter pattern ${trimmed}: terms are supported`,
      501,
    );
  }
  const terms = [...trimmed.matchAll(/([-?]?)(?:"((?:[^"\\]|\\.)*)"|(\S+))/gs)].map(
    ([, sign = '', quoted, plain = '']) => ({ sign, text: quoted?.replaceAll(/\\(.)/gs, '$1') ?? plain }),
  );
  const of = (wanted: string) => terms.filter(({ sign }) => sign === wanted).map(({ text }) => text);
  const [all, any, none] = [of(''), of('?'), of('-')];
  return (message) =>
    all.every((text) => message.includes(text)) &&
    (any.length === 0 || any.some((text) => message.includes(text))) &&
    !none.some((text) => message.includes(text));
}

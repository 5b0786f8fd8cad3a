import { randomBytes } from 'node:crypto';

/**
 * The `X-Amzn-Trace-Id` a function sees: trace and sampling of the caller's header where it has
 * one, else a new trace, and as parent the segment of this very invocation.
 *
 * @param sampled whether a trace that starts here is sampled.
 */
export function traceHeaderFor(incoming: string | undefined, sampled: boolean): string {
  const fields = new Map(
    (incoming ?? '').split(';').map((field): [string, string] => {
      const [name = '', ...value] = field.trim().split('=');
      return [name.toLowerCase(), value.join('=')];
    }),
  );
  const root = fields.get('root') ?? '';
  const known = /^1-[0-9a-f]{8}-[0-9a-f]{24}$/.test(root);
  const seconds = Math.floor(Date.now() / 1000).toString(16);
  const decision = known ? fields.get('sampled') : undefined;
  return [
    `Root=${known ? root : `1-${seconds}-${randomBytes(12).toString('hex')}`}`,
    `Parent=${randomBytes(8).toString('hex')}`,
    `Sampled=${decision === '0' || decision === '1' ? decision : sampled ? '1' : '0'}`,
  ].join(';');
}

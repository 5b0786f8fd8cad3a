import { Problem } from '../shared/problem.ts';
import type { Refusal } from './decision-model.ts';
import type { Decided } from './events.ts';

/** Which part of the request, put otherwise, would change the answer. */
const fields: Partial<Record<Refusal, string>> = {
  'observe-only': 'body.shard',
  'unknown-target': 'body.target',
  'unfit-target': 'body.target',
  'writer-answers': 'body.kind',
  'writer-does-not-answer': 'body.kind',
  'lag-unknown': 'body.acceptDataLossBytes',
  'lag-too-high': 'body.acceptDataLossBytes',
};

/** What the request names does not fit, whatever state the shard is in. */
const unprocessable: ReadonlySet<Refusal> = new Set(['observe-only', 'unknown-target']);

/** The answer to a request that was refused. */
export function refusalProblem({ code = 'in-progress', reason = '', lagBytes }: Decided): Problem {
  const field = fields[code];
  return new Problem(unprocessable.has(code) ? 'unprocessable-request' : 'conflict', reason, {
    ...(field !== undefined && { errors: [{ field, message: reason }] }),
    extensions: { code, ...(typeof lagBytes === 'number' && { lagBytes }) },
  });
}

export function unknownShard(shard: string): Problem {
  const message = `There is no shard ${shard}.`;
  return new Problem('unprocessable-request', message, { errors: [{ field: 'body.shard', message }] });
}

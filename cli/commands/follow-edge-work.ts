import type { Outcome } from '../exit-codes.ts';
import type { Session } from '../session.ts';
import { type EndedWork, endedText } from '../views/ended.ts';

/** Says that work of the edge has begun, waits until it has ended, and then shows what came of it. */
export async function followEdgeWork<W extends EndedWork>(
  session: Session,
  name: string,
  follow: () => Promise<W>,
  textOf: (ended: W) => string,
): Promise<Outcome> {
  session.note(`${name} has begun …`);
  const ended = await follow();
  session.result(ended, () => textOf(ended));
  if (ended.state === 'completed') return 'done';
  session.complain(endedText(name, ended));
  return 'failed';
}

import type { ProbeRecord } from './model.ts';
import type { ShardPolicy } from './policy.ts';

/** Whether the writer was lost and found again so often that another change would be one more. */
export function isFlapping(
  probe: Pick<ProbeRecord, 'changes'> | undefined,
  { flapping }: Pick<ShardPolicy, 'flapping'>,
  now: number,
): boolean {
  const since = now - flapping.windowMinutes * 60_000;
  const changes = (probe?.changes ?? []).filter((at) => Date.parse(at) >= since);
  return changes.length >= flapping.transitions;
}

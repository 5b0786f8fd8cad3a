import type { AlarmState } from './alarm-definition.ts';

export type MissingData = 'missing' | 'ignore' | 'breaching' | 'notBreaching';

/**
 * How many periods CloudWatch looks at: some more than it needs, in case that values are missing in
 * the latest. Its documentation shows 5 for 3; it does not give the rule.
 */
export function evaluationRange(evaluationPeriods: number): number {
  return evaluationPeriods + 2;
}

/**
 * The state of an alarm by its data, as CloudWatch documents it.
 *
 * @param points of the evaluation range, oldest first: whether each is breaching, undefined where a
 *   value is missing.
 * @param needed evaluation periods (N).
 * @param toAlarm datapoints to alarm (M ≤ N).
 * @returns undefined when the alarm keeps its state.
 */
export function decideState(
  points: readonly (boolean | undefined)[],
  needed: number,
  toAlarm: number,
  missing: MissingData,
): AlarmState | undefined {
  const real = points.filter((point) => point !== undefined);
  const considered = real.slice(-needed);
  const breaching = considered.filter((point) => point).length;
  if (breaching >= toAlarm) return 'ALARM';
  const lacking = needed - considered.length;
  if (lacking === 0) return 'OK';
  if (missing === 'breaching') return breaching + lacking >= toAlarm ? 'ALARM' : 'OK';
  if (missing === 'notBreaching') return 'OK';
  if (real.length === 0) return missing === 'ignore' ? undefined : 'INSUFFICIENT_DATA';
  if (breaching < real.length) return 'OK';
  // Only breaching values, and too few: not yet an alarm unless the first of them is old enough.
  if (missing === 'ignore') return undefined;
  const recent = points.slice(-needed);
  const oldest = recent.indexOf(true);
  return oldest >= 0 && recent.length - oldest >= toAlarm ? 'ALARM' : undefined;
}

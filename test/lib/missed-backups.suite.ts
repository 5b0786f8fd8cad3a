import { describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import { decideState, evaluationRange } from '../../local/cloudwatch/alarm-evaluation.ts';
import { ofType, synthesize } from './support.ts';

const { platform } = synthesize('local');
const alarm = z
  .object({
    MetricName: z.literal('BackupsCompleted'),
    Period: z.literal(3_600),
    Threshold: z.literal(1),
    ComparisonOperator: z.literal('LessThanThreshold'),
    EvaluationPeriods: z.number(),
    DatapointsToAlarm: z.number(),
    TreatMissingData: z.literal('breaching'),
  })
  .parse(
    ofType(platform, 'AWS::CloudWatch::Alarm')
      .map(([, { Properties }]) => Properties)
      .find(({ AlarmName }) => String(AlarmName).endsWith('backup-missed')),
  );

/** The state after hours of which only those, counted back from the latest, have a completed backup; others have no data. */
function stateAfter(completed: readonly number[]) {
  const { EvaluationPeriods, DatapointsToAlarm, TreatMissingData } = alarm;
  const range = evaluationRange(EvaluationPeriods);
  const points = Array.from({ length: range }, (_, index) =>
    completed.includes(range - 1 - index) ? false : undefined,
  );
  return decideState(points, EvaluationPeriods, DatapointsToAlarm, TreatMissingData);
}

describe('Missed backups', () => {
  it('raise the alarm when nothing runs at all, not even the scheduler', () => {
    expect(stateAfter([])).toBe('ALARM');
  });

  it('raise it once the latest backup is longer ago than is tolerated, and not before', () => {
    expect(stateAfter([alarm.EvaluationPeriods - 1])).toBe('OK');
    expect(stateAfter([0])).toBe('OK');
    expect(stateAfter([24])).toBe('OK');
    expect(alarm.EvaluationPeriods).toBeGreaterThan(24);
  });
});

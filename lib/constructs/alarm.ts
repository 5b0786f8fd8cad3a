import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Construct } from 'constructs';
import { type DescribedAlarm, describeAlarm } from './alarm-description.ts';

/** Raised by one period in which something happened at all; ended by one without. */
const onFirst = {
  threshold: 1,
  comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
  evaluationPeriods: 1,
  treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
};

/** Without a threshold, an operator, periods and what missing data mean: one period with at least 1 raises it. */
export interface AlarmProps
  extends DescribedAlarm,
    Omit<cloudwatch.AlarmProps, 'alarmName' | 'alarmDescription' | 'actionsEnabled' | keyof typeof onFirst>,
    Partial<Pick<cloudwatch.AlarmProps, keyof typeof onFirst>> {
  /** It is a part of a composite alarm, which tells in its place. Default: it tells. */
  silent?: boolean;
}

/** An alarm that says what is wrong, what to do, and tells somebody. */
export class Alarm extends Construct {
  readonly alarm: cloudwatch.Alarm;

  /** @throws when the runbook does not exist. */
  constructor(scope: Construct, id: string, props: AlarmProps) {
    super(scope, id);
    const { name, description, runbook, notifications, silent = false, ...rest } = props;
    this.alarm = new cloudwatch.Alarm(this, 'Alarm', {
      ...onFirst,
      ...rest,
      ...describeAlarm({ name, description, runbook, notifications }),
    });
    if (silent) return;
    const action = new SnsAction(notifications.topic);
    this.alarm.addAlarmAction(action);
    this.alarm.addOkAction(action);
  }
}

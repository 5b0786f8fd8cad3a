import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Construct } from 'constructs';
import { type DescribedAlarm, describeAlarm } from './alarm-description.ts';

export interface CompositeAlarmProps extends DescribedAlarm {
  /** What of other alarms raises it. */
  rule: cloudwatch.IAlarmRule;
}

/** An alarm on the states of others, which says what is wrong, what to do, and tells somebody. */
export class CompositeAlarm extends Construct {
  /** @throws when the runbook does not exist. */
  constructor(scope: Construct, id: string, { rule, ...described }: CompositeAlarmProps) {
    super(scope, id);
    const { alarmName, alarmDescription } = describeAlarm(described);
    const alarm = new cloudwatch.CompositeAlarm(this, 'Alarm', {
      ...{ compositeAlarmName: alarmName, alarmDescription },
      alarmRule: rule,
    });
    const action = new SnsAction(described.notifications.topic);
    alarm.addAlarmAction(action);
    alarm.addOkAction(action);
  }
}

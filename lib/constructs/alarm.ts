import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Construct } from 'constructs';
import type { Notifications } from './notifications.ts';

const root = dirname(dirname(import.meta.dirname));

/** Raised by one period in which something happened at all; ended by one without. */
const onFirst = {
  threshold: 1,
  comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
  evaluationPeriods: 1,
  treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
};

/** Without a threshold, an operator, periods and what missing data mean: one period with at least 1 raises it. */
export interface AlarmProps
  extends Omit<
      cloudwatch.AlarmProps,
      'alarmName' | 'alarmDescription' | 'actionsEnabled' | keyof typeof onFirst
    >,
    Partial<Pick<cloudwatch.AlarmProps, keyof typeof onFirst>> {
  /** What the alarm is called, without the environment: lower case letters and hyphens. */
  name: string;
  /** What is wrong when it is raised, in a sentence. */
  description: string;
  /** What to do then: the name of a file in docs/runbooks, without `.md`. */
  runbook: string;
  /** Who is told, when it is raised and when it ends. */
  notifications: Notifications;
}

/** An alarm that says what is wrong, what to do, and tells somebody. */
export class Alarm extends Construct {
  readonly alarm: cloudwatch.Alarm;

  /** @throws when the runbook does not exist. */
  constructor(scope: Construct, id: string, props: AlarmProps) {
    super(scope, id);
    const { name, description, runbook, notifications, ...rest } = props;
    const path = join('docs', 'runbooks', `${runbook}.md`);
    if (!existsSync(join(root, path))) throw new Error(`The alarm ${name} needs its runbook, ${path}`);
    this.alarm = new cloudwatch.Alarm(this, 'Alarm', {
      ...onFirst,
      ...rest,
      alarmName: `mainstay-${notifications.environment}-${name}`,
      alarmDescription: `${description}\nRunbook: ${notifications.runbookBaseUrl}/${runbook}.md`,
    });
    const action = new SnsAction(notifications.topic);
    this.alarm.addAlarmAction(action);
    this.alarm.addOkAction(action);
  }
}

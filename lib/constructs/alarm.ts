import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Construct } from 'constructs';
import type { Notifications } from './notifications.ts';

const root = dirname(dirname(import.meta.dirname));

export interface AlarmProps
  extends Omit<cloudwatch.AlarmProps, 'alarmName' | 'alarmDescription' | 'actionsEnabled'> {
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
      ...rest,
      alarmName: `mainstay-${notifications.environment}-${name}`,
      alarmDescription: `${description}\nRunbook: ${notifications.runbookBaseUrl}/${runbook}.md`,
    });
    const action = new SnsAction(notifications.topic);
    this.alarm.addAlarmAction(action);
    this.alarm.addOkAction(action);
  }
}

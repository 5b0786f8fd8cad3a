import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Notifications } from './notifications.ts';

const root = dirname(dirname(import.meta.dirname));

export interface DescribedAlarm {
  /** What the alarm is called, without the environment: lower case letters and hyphens. */
  name: string;
  /** What is wrong when it is raised, in a sentence. */
  description: string;
  /** What to do then: the name of a file in docs/runbooks, without `.md`. */
  runbook: string;
  /** Who is told, when it is raised and when it ends. */
  notifications: Notifications;
}

/**
 * Name and description of an alarm as they are deployed.
 *
 * @throws when the runbook does not exist.
 */
export function describeAlarm({ name, description, runbook, notifications }: DescribedAlarm): {
  alarmName: string;
  alarmDescription: string;
} {
  const path = join('docs', 'runbooks', `${runbook}.md`);
  if (!existsSync(join(root, path))) throw new Error(`The alarm ${name} needs its runbook, ${path}`);
  return {
    alarmName: `mainstay-${notifications.environment}-${name}`,
    alarmDescription: `${description}\nRunbook: ${notifications.runbookBaseUrl}/${runbook}.md`,
  };
}

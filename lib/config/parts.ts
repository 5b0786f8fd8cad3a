import * as z from 'zod';

/** Sets of defaults: `dev` deploys the least that works, `production` what an operator relies on. */
export const profiles = ['dev', 'production'] as const;
export type Profile = (typeof profiles)[number];

/** A whole number between two bounds, both included. */
export const integer = (min: number, max: number) => z.int().min(min).max(max);

/** The name of an AWS region. */
export const regionName = z
  .string()
  .regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'not the name of a region, such as eu-central-1');

/** A schedule as EventBridge Scheduler reads it, in UTC. */
export const scheduleExpression = z
  .string()
  .regex(/^(cron\(\S+( \S+){5}\)|rate\([1-9]\d* (minute|minutes|hour|hours|day|days)\))$/, {
    error: 'write cron(minutes hours day-of-month month day-of-week year) or rate(value unit)',
    abort: true,
  });

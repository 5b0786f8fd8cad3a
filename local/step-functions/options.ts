import type { Authorization, Principal } from '../aws/operation.ts';
import type { MetricDatum } from '../cloudwatch/metric.ts';
import type { ServiceEvent } from '../events/event.ts';
import type { Clock } from '../scheduler/clock.ts';
import type { ReadObject } from './item-reader.ts';
import type { TaskTargets } from './tasks.ts';

/** What Step Functions needs from the rest of the local runtime. */
export interface StepFunctionsOptions extends TaskTargets {
  /** Where executions are kept. */
  directory: string;
  /** Reads an object under the machine's role, for the items of a distributed Map. */
  readObject: ReadObject;
  /**
   * Asks IAM: whether Step Functions may assume a role, and whether a role may start the children of a
   * distributed Map.
   *
   * @throws AwsError unless it is allowed.
   */
  authorize(principal: Principal, authorization: Authorization): void;
  /** Puts an event on the default bus. */
  putEvent(event: ServiceEvent): void | Promise<void>;
  recordMetric?(datum: MetricDatum): void;
  /** Puts a line into a log group, for state machines that log. @param time ms since the epoch */
  writeLog?(groupName: string, streamName: string, message: string, time: number): void;
  /** A line for the person at the keyboard, for example why a child of a distributed Map failed. */
  report?(line: string): void;
  /** Most children of one distributed Map at a time; default 1000. */
  distributedConcurrency?: number;
  /** Ended executions kept per state machine; default 500. */
  keptExecutions?: number;
  /** Default 25 000, as on AWS. */
  historyLimit?: number;
  clock?: Clock;
  /** For jitter; default Math.random. */
  random?(): number;
}

import type { JsonApi } from '../aws/api.ts';
import { type Clock, systemClock } from '../scheduler/clock.ts';
import type { Service } from '../service.ts';
import { Alarms, type AlarmsOptions } from './alarms.ts';
import { cloudWatchApi } from './cloudwatch-api.ts';
import { Metrics } from './metrics.ts';

export interface CloudWatchOptions extends Omit<AlarmsOptions, 'clock' | 'metrics'> {
  clock?: Clock;
  /** Metrics kept; default 2000. */
  keptMetrics?: number;
}

/** CloudWatch: metrics from log lines and callers, and alarms over them. */
export class CloudWatch implements Service {
  readonly name = 'cloudwatch';
  readonly metrics: Metrics;
  readonly alarms: Alarms;
  readonly api: JsonApi;

  constructor({ keptMetrics, ...options }: CloudWatchOptions) {
    const clock = options.clock ?? systemClock;
    const { directory } = options;
    this.metrics = new Metrics({
      directory,
      clock,
      ...(keptMetrics === undefined ? {} : { keptMetrics }),
      report: (line) => options.report?.(line),
    });
    this.alarms = new Alarms({ ...options, clock, metrics: this.metrics });
    this.api = cloudWatchApi(this.metrics, this.alarms, clock);
  }

  async start(): Promise<void> {
    await this.metrics.start();
    this.alarms.start();
  }

  async stop(): Promise<void> {
    await this.alarms.stop();
    await this.metrics.stop();
  }
}

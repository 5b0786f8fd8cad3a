import { Duration } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import { cdnContract } from '../../functions/cdn/contract.ts';
import { logConcurrencyOf, websitesOf } from '../config/cdn-deployment.ts';
import { BundledFunction } from '../constructs/function.ts';
import { watchFunction } from '../constructs/function-alarms.ts';
import { edgeLogPrefixes } from '../stateful/edge-logs.ts';
import { addAnalyticsAlarms } from './alarms.ts';
import type { CdnProps } from './cdn.ts';

/** Counts what the edge logs: each log as it arrives, and every ten minutes all of them into hours and days. */
export class Analytics extends Construct {
  readonly ingest: BundledFunction;
  readonly fold: BundledFunction;

  constructor(scope: Construct, id: string, props: CdnProps) {
    super(scope, id);
    const { settings, stateful, deadLetters, notifications } = props;
    const common = {
      ...{ settings, contract: cdnContract, onFailure: deadLetters },
      // One full CPU comes with this much; neither needs the memory.
      memoryMiB: 1769,
    };
    this.ingest = new BundledFunction(scope, 'IngestLog', {
      ...common,
      name: 'ingest-log',
      description: 'Counts a log of the edge',
      timeout: Duration.minutes(15),
      concurrency: logConcurrencyOf(settings.config),
    });
    this.fold = new BundledFunction(scope, 'FoldTraffic', {
      ...common,
      name: 'fold-traffic',
      description: 'Folds what logs of the edge say into hours and days',
      timeout: Duration.minutes(5),
    });
    const { cdn, monitoring } = stateful.tables;
    const { edgeLogs } = stateful.buckets;
    cdn.grant(this.ingest, ['dynamodb:GetItem', 'dynamodb:PutItem']);
    monitoring.grantItems(this.ingest, ['dynamodb:PutItem'], ['OPEN#*']);
    edgeLogs.grantIngest(this.ingest);
    cdn.grant(this.fold, ['dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:PutItem', 'dynamodb:DeleteItem']);
    edgeLogs.grantFold(this.fold);
    this.ingest.addEnvironment('CDN_WEBSITES', JSON.stringify(websitesOf(settings.config)));
    for (const fn of [this.ingest, this.fold]) addRetention(fn, props);

    new events.Rule(this, 'LogArrived', {
      description: 'A log of the edge has arrived',
      eventPattern: {
        source: ['aws.s3'],
        detailType: ['Object Created'],
        detail: {
          bucket: { name: [edgeLogs.bucket.bucketName] },
          object: { key: edgeLogPrefixes.map((prefix) => ({ prefix })) },
        },
      },
      targets: [new LambdaFunction(this.ingest.function, deadLetters.delivery)],
    });
    new events.Rule(this, 'FoldSchedule', {
      description: 'Fold what logs of the edge say',
      schedule: events.Schedule.rate(Duration.minutes(10)),
      targets: [
        new LambdaFunction(this.fold.function, {
          ...deadLetters.delivery,
          event: events.RuleTargetInput.fromObject({}),
        }),
      ],
    });
    const thresholds = settings.config.alarms;
    watchFunction(this.ingest, { name: 'ingest-log', thresholds, notifications });
    watchFunction(this.fold, { name: 'fold-traffic', thresholds, notifications });
    addAnalyticsAlarms(this, props);
  }

  /** Lets a function read what was counted. */
  static grantRead(fn: BundledFunction, props: CdnProps): void {
    props.stateful.buckets.edgeLogs.grantReadTraffic(fn);
    addRetention(fn, props);
  }
}

function addRetention(fn: BundledFunction, { settings }: CdnProps): void {
  const { hourlyDays, dailyDays } = settings.config.cdn.analytics;
  fn.addEnvironment('TRAFFIC_RETENTION', JSON.stringify({ hourlyDays, dailyDays }));
}

import type { CloudWatch } from '../cloudwatch/cloudwatch.ts';
import type { AccessLogContext } from '../http-api/exchange.ts';
import type { InvocationReport } from '../lambda/host-options.ts';
import type { Service } from '../service.ts';
import type { SqsService } from '../sqs/sqs-service.ts';

/** The metrics of `AWS/Lambda` about one invocation. */
export function recordInvocation({ metrics }: CloudWatch, report: InvocationReport): void {
  const common = {
    namespace: 'AWS/Lambda',
    dimensions: { FunctionName: report.functionName },
    timestamp: Date.now(),
  };
  if (report.throttled) {
    // Of the function, and of all functions of the region together.
    for (const dimensions of [common.dimensions, {}]) {
      metrics.record({ ...common, dimensions, name: 'Throttles', values: [1], unit: 'Count' });
    }
    return;
  }
  metrics.record({ ...common, name: 'Invocations', values: [1], unit: 'Count' });
  metrics.record({ ...common, name: 'Errors', values: [report.error === undefined ? 0 : 1], unit: 'Count' });
  metrics.record({ ...common, name: 'Duration', values: [report.durationMs], unit: 'Milliseconds' });
}

/** The metrics of `AWS/ApiGateway` about one request of an HTTP API, of the API and of its stage. */
export function recordRequest({ metrics }: CloudWatch, context: AccessLogContext): void {
  const { apiId, stage, status, responseLatency, integrationLatency, dataProcessed } = context;
  const figures = [
    { name: 'Count', value: 1, unit: 'Count' },
    { name: '4xx', value: isOfClass(status, 4), unit: 'Count' },
    { name: '5xx', value: isOfClass(status, 5), unit: 'Count' },
    { name: 'DataProcessed', value: dataProcessed, unit: 'Bytes' },
    { name: 'Latency', value: responseLatency, unit: 'Milliseconds' },
    { name: 'IntegrationLatency', value: integrationLatency, unit: 'Milliseconds' },
  ];
  const ofApi = { ApiId: String(apiId) };
  for (const dimensions of [ofApi, { ...ofApi, Stage: String(stage) }]) {
    for (const { name, value, unit } of figures) {
      if (value === undefined) continue;
      const values = [Number(value)];
      metrics.record({
        namespace: 'AWS/ApiGateway',
        ...{ name, dimensions, values, unit, timestamp: Date.now() },
      });
    }
  }
}

const isOfClass = (status: string | number | undefined, hundreds: number): number =>
  Math.floor(Number(status) / 100) === hundreds ? 1 : 0;

/** Reports once a minute, as SQS does, how many messages wait in each queue. */
export class QueueDepths implements Service {
  readonly name = 'queue depths';
  readonly #sqs: SqsService;
  readonly #cloudWatch: CloudWatch;
  #timer: NodeJS.Timeout | undefined;

  constructor(sqs: SqsService, cloudWatch: CloudWatch) {
    this.#sqs = sqs;
    this.#cloudWatch = cloudWatch;
  }

  async start(): Promise<void> {
    this.#report();
    this.#timer = setInterval(() => this.#report(), 60_000);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
  }

  #report(): void {
    for (const { queueName, visible } of this.#sqs.depths()) {
      this.#cloudWatch.metrics.record({
        namespace: 'AWS/SQS',
        name: 'ApproximateNumberOfMessagesVisible',
        dimensions: { QueueName: queueName },
        values: [visible],
        unit: 'Count',
        timestamp: Date.now(),
      });
    }
  }
}

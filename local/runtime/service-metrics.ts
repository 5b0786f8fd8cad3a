import type { CloudWatch } from '../cloudwatch/cloudwatch.ts';
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
    metrics.record({ ...common, name: 'Throttles', values: [1], unit: 'Count' });
    return;
  }
  metrics.record({ ...common, name: 'Invocations', values: [1], unit: 'Count' });
  metrics.record({ ...common, name: 'Errors', values: [report.error === undefined ? 0 : 1], unit: 'Count' });
  metrics.record({ ...common, name: 'Duration', values: [report.durationMs], unit: 'Milliseconds' });
}

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

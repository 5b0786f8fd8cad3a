import { join } from 'node:path';
import * as z from 'zod';
import type { JsonApi } from '../aws/api.ts';
import { AwsError, type Operation } from '../aws/operation.ts';
import { StateFile } from '../aws/state-file.ts';
import { count, md5OfBody, type Queue, queueSchema, receive, remove, send } from './queue.ts';

export interface SqsOptions {
  directory: string;
  /** Base of queue URLs, known once the endpoint listens. */
  endpointUrl: () => string;
  region: string;
  accountId: string;
  now?: () => number;
}

const stateSchema = z.object({ queues: z.record(z.string(), queueSchema) });

/** Standard queues, as far as dead-letter queues need them. */
export class SqsService {
  readonly api: JsonApi;
  readonly #options: SqsOptions;
  readonly #file: StateFile<z.output<typeof stateSchema>>;

  constructor(options: SqsOptions) {
    this.#options = options;
    this.#file = new StateFile(join(options.directory, 'sqs.json'), stateSchema, { queues: {} });
    this.api = {
      protocol: 'json',
      signingName: 'sqs',
      targetPrefix: 'AmazonSQS',
      jsonVersion: '1.0',
      operations: this.#operations(),
    };
  }

  /**
   * Creates a queue, or changes the settings of one that exists.
   *
   * @param retentionSeconds how long messages are kept, default 4 days.
   * @param visibilitySeconds how long a received message stays hidden, default 30.
   */
  async ensureQueue(
    name: string,
    {
      retentionSeconds = 345_600,
      visibilitySeconds = 30,
    }: { retentionSeconds?: number; visibilitySeconds?: number } = {},
  ): Promise<{ arn: string; url: string }> {
    const messages = this.#file.state.queues[name]?.messages ?? [];
    this.#file.state.queues[name] = { retentionSeconds, visibilitySeconds, messages };
    await this.#file.save();
    return { arn: this.#arn(name), url: this.#url(name) };
  }

  /** The ARN of the queue at a URL. */
  arnOf(url: string): string {
    return this.#arn(nameOf(url));
  }

  /** Messages waiting in each queue, by its name. */
  depths(): { queueName: string; visible: number }[] {
    return Object.entries(this.#file.state.queues).map(([queueName, queue]) => ({
      queueName,
      visible: count(queue, this.#now()).visible,
    }));
  }

  #operations(): Record<string, Operation> {
    return {
      ListQueues: {
        authorize: () => [{ action: 'sqs:ListQueues', resource: '*' }],
        run: () => ({ QueueUrls: Object.keys(this.#file.state.queues).map((name) => this.#url(name)) }),
      },
      GetQueueUrl: {
        authorize: (input) => [{ action: 'sqs:GetQueueUrl', resource: this.#arn(String(input.QueueName)) }],
        run: (input) => {
          this.#queue(String(input.QueueName));
          return { QueueUrl: this.#url(String(input.QueueName)) };
        },
      },
      GetQueueAttributes: this.#onQueue('sqs:GetQueueAttributes', (queue, name) => {
        const { visible, hidden } = count(queue, this.#now());
        return {
          Attributes: {
            QueueArn: this.#arn(name),
            ApproximateNumberOfMessages: String(visible),
            ApproximateNumberOfMessagesNotVisible: String(hidden),
            MessageRetentionPeriod: String(queue.retentionSeconds),
            VisibilityTimeout: String(queue.visibilitySeconds),
          },
        };
      }),
      SendMessage: this.#onQueue('sqs:SendMessage', async (queue, _, input) => {
        const { MessageBody } = z.object({ MessageBody: z.string().min(1).max(1_048_576) }).parse(input);
        const message = send(queue, MessageBody, this.#now());
        await this.#file.save();
        return { MessageId: message.id, MD5OfMessageBody: md5OfBody(MessageBody) };
      }),
      ReceiveMessage: this.#onQueue('sqs:ReceiveMessage', async (queue, _, input) => {
        const { MaxNumberOfMessages: most, VisibilityTimeout: seconds } = receiveSchema.parse(input);
        const messages = receive(queue, most, seconds, this.#now());
        await this.#file.save();
        return {
          Messages: messages.map((message) => ({
            MessageId: message.id,
            ReceiptHandle: message.receiptHandle,
            Body: message.body,
            MD5OfBody: md5OfBody(message.body),
            Attributes: {
              SentTimestamp: String(message.sentAt),
              ApproximateReceiveCount: String(message.receives),
            },
          })),
        };
      }),
      DeleteMessage: this.#onQueue('sqs:DeleteMessage', async (queue, _, input) => {
        if (!remove(queue, String(input.ReceiptHandle))) {
          throw new AwsError('ReceiptHandleIsInvalid', 'The input receipt handle is invalid.');
        }
        await this.#file.save();
        return {};
      }),
      PurgeQueue: this.#onQueue('sqs:PurgeQueue', async (queue) => {
        queue.messages = [];
        await this.#file.save();
        return {};
      }),
    };
  }

  #onQueue(
    action: string,
    run: (queue: Queue, name: string, input: Record<string, unknown>) => unknown,
  ): Operation {
    return {
      authorize: (input) => [{ action, resource: this.arnOf(String(input.QueueUrl)) }],
      run: (input) => {
        const name = nameOf(String(input.QueueUrl));
        return run(this.#queue(name), name, input);
      },
    };
  }

  #queue(name: string): Queue {
    const queue = this.#file.state.queues[name];
    if (queue === undefined) {
      throw new AwsError('QueueDoesNotExist', 'The specified queue does not exist.', 400);
    }
    return queue;
  }

  #arn(name: string): string {
    return `arn:aws:sqs:${this.#options.region}:${this.#options.accountId}:${name}`;
  }

  #url(name: string): string {
    return `${this.#options.endpointUrl()}/${this.#options.accountId}/${name}`;
  }

  #now(): number {
    return (this.#options.now ?? Date.now)();
  }
}

function nameOf(url: string): string {
  return url.split('/').at(-1) ?? '';
}

const receiveSchema = z.looseObject({
  MaxNumberOfMessages: z.number().int().min(1).max(10).default(1),
  VisibilityTimeout: z.number().int().min(0).max(43_200).optional(),
});

import { createHash, randomUUID } from 'node:crypto';
import type { QueryApi } from '../aws/api.ts';
import { AwsError } from '../aws/operation.ts';
import type { Authorizer } from '../iam/authorizer.ts';
import type { KmsService } from '../kms/kms-service.ts';
import { snsOperations } from './operations.ts';
import {
  defaultTopicPolicy,
  lambdaEvent,
  type Published,
  type Topic,
  type TopicDefinition,
} from './topic.ts';

export interface SnsOptions {
  /** Gives an event of a topic to a function. What it rejects with becomes a log line. */
  deliver: (targetArn: string, event: Record<string, unknown>, topicArn: string) => Promise<unknown>;
  /** Takes one line for each e-mail that would have been sent. */
  log: (line: string) => void;
  /** Learns the policies of topics. */
  authorizer: Pick<Authorizer, 'setResourcePolicy'>;
  /** Says what a publisher needs on the customer key of a topic. */
  kms: Pick<KmsService, 'useBy'>;
  /** How many published messages are kept for {@link SnsService.published}; default 1000. */
  keep?: number;
  /** Default `000000000000`. */
  accountId?: string;
  /** Default `us-east-1`. */
  region?: string;
}

/** SNS: topics with function and e-mail subscriptions. Topics come from the template at every start. */
export class SnsService {
  readonly api: QueryApi;
  readonly #options: SnsOptions;
  readonly #topics = new Map<string, Topic>();
  readonly #published: Published[] = [];

  constructor(options: SnsOptions) {
    this.#options = options;
    this.api = {
      protocol: 'query',
      signingName: 'sns',
      xmlNamespace: 'http://sns.amazonaws.com/doc/2010-03-31/',
      operations: snsOperations({
        topics: () => [...this.#topics.values()],
        find: (arn) => this.#find(arn),
        publish: (topic, message) => this.#publish(topic, message),
        kms: options.kms,
      }),
    };
  }

  /** Creates or replaces a topic with its subscriptions. */
  ensureTopic(definition: TopicDefinition): { name: string; arn: string } {
    const { accountId = '000000000000', region = 'us-east-1', authorizer } = this.#options;
    const { name, subscriptions = [] } = definition;
    const arn = `arn:aws:sns:${region}:${accountId}:${name}`;
    const policy = definition.policy ?? defaultTopicPolicy(arn, accountId);
    authorizer.setResourcePolicy(arn, policy);
    this.#topics.set(arn, {
      name,
      arn,
      displayName: definition.displayName ?? '',
      kmsKeyId: definition.kmsKeyId,
      policy,
      subscriptions: subscriptions.map((subscription) => ({
        ...subscription,
        arn: `${arn}:${stableUuid(`${subscription.protocol} ${subscription.endpoint}`)}`,
      })),
    });
    return { name, arn };
  }

  /** The latest published messages, oldest first. */
  published(): readonly Published[] {
    return this.#published;
  }

  #find(arn: string): Topic {
    const topic = this.#topics.get(arn);
    if (!topic) throw new AwsError('NotFound', `Topic does not exist: ${arn}`, 404);
    return topic;
  }

  #publish(topic: Topic, message: Pick<Published, 'subject' | 'message' | 'attributes'>): string {
    const { log, deliver, keep = 1000 } = this.#options;
    const published: Published = {
      messageId: randomUUID(),
      topicArn: topic.arn,
      timestamp: new Date().toISOString(),
      ...message,
    };
    this.#published.push(published);
    this.#published.splice(0, this.#published.length - keep);
    for (const { protocol, endpoint, arn } of topic.subscriptions) {
      if (protocol === 'email') {
        log(
          `E-mail to ${endpoint}: ${oneLine(message.subject ?? topic.displayName)}: ${oneLine(message.message)}`,
        );
        continue;
      }
      deliver(endpoint, lambdaEvent(published, arn), topic.arn).catch((error) =>
        log(`${topic.name} could not deliver to ${endpoint}: ${oneLine(String(error))}`),
      );
    }
    return published.messageId;
  }
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

/** The same text gives the same id, so that a subscription keeps its ARN across starts. */
function stableUuid(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    '-',
  );
}

import {
  GetTopicAttributesCommand,
  ListSubscriptionsByTopicCommand,
  ListTopicsCommand,
  PublishCommand,
  SNSClient,
  SubscribeCommand,
} from '@aws-sdk/client-sns';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { KmsService } from '../../../local/kms/kms-service.ts';
import { SnsService } from '../../../local/sns/sns-service.ts';
import { allow, type EmulatedAws, startAws } from '../aws/emulated-aws.ts';

const functionArn = 'arn:aws:lambda:us-east-1:000000000000:function:notify';
const alarms = { kind: 'service', arn: 'cloudwatch.amazonaws.com' } as const;

let aws: EmulatedAws;
let sns: SnsService;
let kms: KmsService;
let client: SNSClient;
let arn: string;
const delivered: [string, Record<string, unknown>, string][] = [];
const lines: string[] = [];
let failure: Error | undefined;

beforeAll(async () => {
  aws = await startAws(({ directory, authorizer }) => {
    kms = new KmsService({ directory, authorizer });
    sns = new SnsService({
      authorizer,
      kms,
      keep: 3,
      log: (line) => lines.push(line),
      deliver: async (target, event, topic) => {
        if (failure) throw failure;
        delivered.push([target, event, topic]);
      },
    });
    return [sns.api];
  });
  client = new SNSClient(aws.client());
  ({ arn } = sns.ensureTopic({
    name: 'alarms',
    displayName: 'Alarms',
    subscriptions: [
      { protocol: 'lambda', endpoint: functionArn },
      { protocol: 'email', endpoint: 'ops@example.org' },
    ],
  }));
});
afterAll(() => aws.close());
beforeEach(() => {
  failure = undefined;
  delivered.length = 0;
  lines.length = 0;
});

describe('a topic', () => {
  it('hands a message to functions and says in one line what it would mail', async () => {
    const { MessageId } = await client.send(
      new PublishCommand({
        TopicArn: arn,
        Subject: 'ALARM',
        Message: 'backup\nfailed',
        MessageAttributes: { severity: { DataType: 'String', StringValue: 'high' } },
      }),
    );
    expect(delivered).toEqual([
      [
        functionArn,
        {
          Records: [
            expect.objectContaining({
              EventSource: 'aws:sns',
              Sns: expect.objectContaining({
                MessageId,
                TopicArn: arn,
                Subject: 'ALARM',
                Message: 'backup\nfailed',
                MessageAttributes: { severity: { Type: 'String', Value: 'high' } },
              }),
            }),
          ],
        },
        arn,
      ],
    ]);
    expect(lines).toEqual(['E-mail to ops@example.org: ALARM: backup failed']);
  });

  it('logs a delivery that failed', async () => {
    failure = new Error('no such function');
    await client.send(new PublishCommand({ TopicArn: arn, Message: 'x' }));
    expect(lines).toContain(`alarms could not deliver to ${functionArn}: Error: no such function`);
  });

  it('keeps only its latest messages', async () => {
    for (const Message of ['1', '2', '3', '4'])
      await client.send(new PublishCommand({ TopicArn: arn, Message }));
    expect(sns.published().map(({ message }) => message)).toEqual(['2', '3', '4']);
  });

  it('is listed and described with its subscriptions', async () => {
    const { Topics } = await client.send(new ListTopicsCommand({}));
    expect(Topics).toEqual([{ TopicArn: arn }]);
    const { Subscriptions } = await client.send(new ListSubscriptionsByTopicCommand({ TopicArn: arn }));
    expect(Subscriptions?.map(({ Protocol, Endpoint }) => [Protocol, Endpoint])).toEqual([
      ['lambda', functionArn],
      ['email', 'ops@example.org'],
    ]);
    const { Attributes } = await client.send(new GetTopicAttributesCommand({ TopicArn: arn }));
    expect(Attributes).toMatchObject({ DisplayName: 'Alarms', SubscriptionsConfirmed: '2' });
  });

  it('refuses what it does not know', async () => {
    const missing = client.send(new PublishCommand({ TopicArn: `${arn}-none`, Message: 'x' }));
    await expect(missing).rejects.toMatchObject({ name: 'NotFoundException' });
    const structured = client.send(
      new PublishCommand({ TopicArn: arn, Message: '{}', MessageStructure: 'json' }),
    );
    await expect(structured).rejects.toThrow(/does not emulate MessageStructure of sns:Publish/);
    const subscribe = client.send(new SubscribeCommand({ TopicArn: arn, Protocol: 'sms', Endpoint: '1' }));
    await expect(subscribe).rejects.toThrow(/does not emulate sns:Subscribe/);
  });
});

describe('who may publish', () => {
  const publish = (settings: ReturnType<typeof aws.client>) =>
    new SNSClient(settings).send(new PublishCommand({ TopicArn: arn, Message: 'x' }));

  it('is a role that may, and a service of the account by default', async () => {
    await expect(publish(aws.asRole())).rejects.toMatchObject({
      message: expect.stringContaining('sns:Publish'),
    });
    await publish(aws.asRole(allow('sns:Publish', arn)));
    await aws.endpoint.call(alarms, 'sns', 'Publish', { TopicArn: arn, Message: 'alarm' });
  });

  it('is no service when the topic has a policy that names none', async () => {
    const own = sns.ensureTopic({
      name: 'closed',
      policy: {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Deny',
            Principal: '*',
            Action: 'sns:Publish',
            Resource: '*',
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          },
        ],
      },
    });
    const attempt = aws.endpoint.call(alarms, 'sns', 'Publish', { TopicArn: own.arn, Message: 'x' });
    await expect(attempt).rejects.toThrow(
      /cloudwatch.amazonaws.com is not authorized to perform: sns:Publish/,
    );
  });

  it('needs the key of an encrypted topic as well', async () => {
    const key = await kms.ensureKey({ name: 'topic' });
    const sealed = sns.ensureTopic({ name: 'sealed', kmsKeyId: key.arn });
    const send = (...statements: object[]) =>
      new SNSClient(aws.asRole(...statements)).send(
        new PublishCommand({ TopicArn: sealed.arn, Message: 'x' }),
      );
    await expect(send(allow('sns:Publish'))).rejects.toThrow(/kms:GenerateDataKey/);
    await send(allow('sns:Publish'), allow(['kms:GenerateDataKey', 'kms:Decrypt'], key.arn));
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AwsError, type OperationContext } from '../../../local/aws/operation.ts';
import type { DeliveryOrigin } from '../../../local/events/delivery.ts';
import { EventBuses } from '../../../local/events/event-bus.ts';
import type { RuleDefinition } from '../../../local/events/rule.ts';
import { VirtualClock } from '../scheduler/virtual-clock.ts';

const region = 'us-east-1';
const accountId = '000000000000';
const context: OperationContext = {
  principal: { kind: 'operator', arn: `arn:aws:iam::${accountId}:root` },
  region,
  accountId,
  requestId: 'r',
};
const arn = (name: string) => `arn:aws:lambda:${region}:${accountId}:function:${name}`;
const ruleArn = (name: string) => `arn:aws:events:${region}:${accountId}:rule/${name}`;
const statusEvent = {
  source: 'aws.states',
  detailType: 'Step Functions Execution Status Change',
  resources: ['arn:aws:states:::execution'],
  detail: { status: 'FAILED', name: 'n "1"' },
  time: Date.parse('2026-11-20T10:00:00.123Z'),
};

let directory: string;
let clock: VirtualClock;
let deliveries: { target: string; payload: unknown; origin: DeliveryOrigin }[];
let reports: string[];
let fail: (target: string) => void;
let buses: EventBuses;

function create(): EventBuses {
  buses = new EventBuses({
    directory,
    region,
    accountId,
    clock,
    random: () => 1,
    deliver: async (target, payload, origin) => {
      fail(target);
      deliveries.push({ target, payload, origin });
    },
    report: (line) => void reports.push(line),
  });
  return buses;
}

const rule = (more: Partial<RuleDefinition>): RuleDefinition => ({
  arn: ruleArn('r'),
  name: 'r',
  busName: 'default',
  targets: [{ Id: 't', Arn: arn('f') }],
  ...more,
});
const call = async (operation: string, input: Record<string, unknown>) =>
  buses.api.operations[operation]?.run(input, context);

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'events-'));
  clock = new VirtualClock();
  deliveries = [];
  reports = [];
  fail = () => undefined;
  await create().start();
});
afterEach(async () => {
  await buses.stop();
  rmSync(directory, { recursive: true, force: true });
});

describe('rules with a pattern', () => {
  it('pass the whole event to each of their targets', async () => {
    buses.ensureRule(
      rule({
        pattern: { source: ['aws.states'], detail: { status: ['FAILED'] } },
        targets: [
          { Id: 'one', Arn: arn('f') },
          { Id: 'two', Arn: arn('g'), RoleArn: 'arn:aws:iam::000000000000:role/r' },
        ],
      }),
    );
    const id = buses.put(statusEvent);
    buses.put({ ...statusEvent, detail: { status: 'RUNNING' } });
    await clock.advance(0);
    const origin = { service: 'events.amazonaws.com', sourceArn: ruleArn('r') };
    expect(deliveries).toEqual([
      {
        target: arn('f'),
        origin,
        payload: {
          version: '0',
          id,
          'detail-type': 'Step Functions Execution Status Change',
          source: 'aws.states',
          account: accountId,
          time: '2026-11-20T10:00:00Z',
          region,
          resources: ['arn:aws:states:::execution'],
          detail: { status: 'FAILED', name: 'n "1"' },
        },
      },
      expect.objectContaining({
        target: arn('g'),
        origin: { ...origin, roleArn: 'arn:aws:iam::000000000000:role/r' },
      }),
    ]);
  });

  it.each<[Record<string, unknown>, unknown]>([
    [{ Input: '{"fixed":true}' }, { fixed: true }],
    [{ InputPath: '$.detail.name' }, 'n "1"'],
    [
      {
        InputTransformer: {
          InputPathsMap: { name: '$.detail.name', all: '$.detail', none: '$.detail.none' },
          InputTemplate:
            '{"name": <name>, "text": "is <name>!", "all": <all>, "none": <none>, "rule": "<aws.events.rule-name>", "other": "<unknown>"}',
        },
      },
      {
        name: 'n "1"',
        text: 'is n "1"!',
        all: { status: 'FAILED', name: 'n "1"' },
        none: null,
        rule: 'r',
        other: '<unknown>',
      },
    ],
    [
      { InputTransformer: { InputPathsMap: { s: '$.detail.status' }, InputTemplate: '"It <s> at <s>"' } },
      'It FAILED at FAILED',
    ],
  ])('shape what a target gets by %j', async (shape, expected) => {
    buses.ensureRule(
      rule({ pattern: { source: ['aws.states'] }, targets: [{ Id: 't', Arn: arn('f'), ...shape }] }),
    );
    buses.put(statusEvent);
    await clock.advance(0);
    expect(deliveries.map(({ payload }) => payload)).toEqual([expected]);
  });

  it('belong to one bus, and may pass events on to another', async () => {
    buses.ensureBus('platform');
    buses.ensureRule(rule({ pattern: { source: ['s'] }, busName: 'platform' }));
    buses.put({ ...statusEvent, source: 's' });
    await clock.advance(0);
    expect(deliveries).toHaveLength(0);
    buses.ensureRule(
      rule({
        arn: ruleArn('forward'),
        name: 'forward',
        pattern: { source: ['s'] },
        targets: [{ Id: 't', Arn: buses.busArn('platform') }],
      }),
    );
    buses.put({ ...statusEvent, source: 's' });
    await clock.advance(0);
    expect(deliveries).toMatchObject([{ target: arn('f'), payload: { source: 's' } }]);
  });

  it('are refused when something about them is not supported', () => {
    const refused = (more: Record<string, unknown>) => () =>
      buses.ensureRule({ ...rule({ pattern: { source: ['s'] } }), ...more });
    expect(refused({ targets: [{ Id: 't', Arn: arn('f'), EcsParameters: {} }] })).toThrow('EcsParameters');
    expect(refused({ pattern: { source: 's' } })).toThrow('source must be');
    expect(refused({ schedule: 'rate(1 hour)' })).toThrow('either a pattern or a schedule');
    expect(refused({ pattern: undefined, schedule: 'rate(1 hour)', busName: 'platform' })).toThrow(
      'default bus',
    );
    expect(refused({ busName: 'none' })).toThrow('Event bus none does not exist');
    expect(refused({ targets: [{ Id: 't', Arn: arn('f'), InputPath: '$.a[?(@.b)]' }] })).toThrow('filter');
  });
});

describe('delivery', () => {
  it('is tried again with growing delays', async () => {
    const times: number[] = [];
    fail = () => {
      times.push(clock.now());
      if (times.length < 4) throw new AwsError('TooManyRequestsException', 'busy', 429);
    };
    buses.ensureRule(rule({ pattern: { source: ['aws.states'] } }));
    buses.put(statusEvent);
    await clock.advance(60_000);
    expect(times.map((time) => (time - (times[0] ?? 0)) / 1000)).toEqual([0, 1, 3, 7]);
    expect(deliveries).toHaveLength(1);
  });

  it('ends after the allowed attempts, in the dead-letter queue and with a line that says why', async () => {
    const queue = 'arn:aws:sqs:us-east-1:000000000000:dead';
    fail = (target) => {
      if (target !== queue) throw new Error('down');
    };
    const target = {
      Id: 't',
      Arn: arn('f'),
      RetryPolicy: { MaximumRetryAttempts: 2 },
      DeadLetterConfig: { Arn: queue },
    };
    buses.ensureRule(rule({ pattern: { source: ['aws.states'] }, targets: [target] }));
    buses.put(statusEvent);
    await clock.advance(60_000);
    expect(deliveries).toMatchObject([{ target: queue, payload: { source: 'aws.states' } }]);
    expect(reports).toEqual([expect.stringContaining(`could not reach ${arn('f')}: Error: down`)]);
    expect(clock.waiting).toBe(0);
  });

  it('ends at once when the target refuses for good', async () => {
    let attempts = 0;
    fail = () => {
      attempts += 1;
      throw new AwsError('AccessDenied', 'no', 403);
    };
    buses.ensureRule(rule({ pattern: { source: ['aws.states'] } }));
    buses.put(statusEvent);
    await clock.advance(60_000);
    expect(attempts).toBe(1);
  });

  it('is given up when the runtime stops', async () => {
    fail = () => {
      throw new Error('down');
    };
    buses.ensureRule(rule({ pattern: { source: ['aws.states'] } }));
    buses.put(statusEvent);
    await clock.advance(10);
    await buses.stop();
    await clock.advance(60_000);
    expect(clock.waiting).toBe(0);
    expect(reports).toEqual([]);
  });
});

describe('rules with a schedule', () => {
  it('pass on the time', async () => {
    buses.ensureRule(rule({ schedule: 'cron(0/30 * * * ? *)' }));
    await clock.advance(3_600_000);
    expect(deliveries.map(({ payload }) => payload)).toMatchObject([
      {
        'detail-type': 'Scheduled Event',
        source: 'aws.events',
        time: '2026-11-20T10:30:00Z',
        resources: [ruleArn('r')],
        detail: {},
      },
      { time: '2026-11-20T11:00:00Z' },
    ]);
  });

  it('do so only while they are enabled, once, and while the service runs', async () => {
    buses.ensureRule(rule({ schedule: 'rate(1 minute)', state: 'DISABLED' }));
    await clock.advance(120_000);
    expect(deliveries).toHaveLength(0);
    buses.ensureRule(rule({ schedule: 'rate(1 minute)' }));
    buses.ensureRule(rule({ schedule: 'rate(1 minute)' }));
    await clock.advance(120_000);
    expect(deliveries).toHaveLength(2);
    await buses.stop();
    expect(clock.waiting).toBe(0);
  });
});

describe('the EventBridge API', () => {
  it('takes events and says which it did not take', async () => {
    buses.ensureBus('platform');
    buses.ensureRule(rule({ busName: 'platform', pattern: { source: ['mainstay'] } }));
    const entry = {
      Source: 'mainstay',
      DetailType: 'd',
      Detail: '{"a":1}',
      EventBusName: buses.busArn('platform'),
    };
    const answer = await call('PutEvents', {
      Entries: [
        { ...entry, Time: 1_700_000_000 },
        { ...entry, Detail: '[1]' },
        { ...entry, Source: 'aws.states' },
        { ...entry, DetailType: undefined },
        { ...entry, EventBusName: 'none' },
      ],
    });
    expect(answer).toEqual({
      FailedEntryCount: 4,
      Entries: [
        { EventId: expect.any(String) },
        expect.objectContaining({ ErrorCode: 'MalformedDetail' }),
        expect.objectContaining({ ErrorCode: 'NotAuthorizedForSourceException' }),
        expect.objectContaining({ ErrorCode: 'InvalidArgument' }),
        expect.objectContaining({ ErrorCode: 'ResourceNotFoundException' }),
      ],
    });
    await clock.advance(0);
    expect(deliveries).toMatchObject([{ payload: { detail: { a: 1 }, time: '2023-11-14T22:13:20Z' } }]);
  });

  it('takes no more than ten events and 256 KB', async () => {
    const entry = { Source: 's', DetailType: 'd', Detail: '{}' };
    const many = call('PutEvents', { Entries: Array(11).fill(entry) });
    await expect(many).rejects.toMatchObject({ code: 'ValidationException' });
    const large = { ...entry, Detail: JSON.stringify({ x: 'x'.repeat(140_000) }) };
    await expect(call('PutEvents', { Entries: [large, large] })).rejects.toMatchObject({
      code: 'ValidationException',
    });
  });

  it('asks IAM about each bus', async () => {
    const operation = buses.api.operations.PutEvents;
    const conditions = { 'events:source': 's', 'events:detail-type': 'd' };
    const entry = { Source: 's', DetailType: 'd', Detail: '{}' };
    expect(
      await operation?.authorize({ Entries: [entry, { ...entry, EventBusName: 'platform' }] }, context),
    ).toEqual([
      { action: 'events:PutEvents', resource: buses.busArn('default'), context: conditions },
      { action: 'events:PutEvents', resource: buses.busArn('platform'), context: conditions },
    ]);
    expect(await buses.api.operations.DescribeRule?.authorize({ Name: 'r' }, context)).toEqual([
      { action: 'events:DescribeRule', resource: ruleArn('r') },
    ]);
  });

  it('shows buses, rules and targets', async () => {
    buses.ensureBus('platform');
    buses.ensureRule(rule({ pattern: { source: ['s'] } }));
    expect(await call('ListEventBuses', {})).toMatchObject({
      EventBuses: [{ Name: 'default' }, { Name: 'platform' }],
    });
    expect(await call('ListRules', {})).toEqual({
      Rules: [
        {
          Name: 'r',
          Arn: ruleArn('r'),
          EventBusName: 'default',
          State: 'ENABLED',
          EventPattern: '{"source":["s"]}',
        },
      ],
    });
    expect(await call('ListTargetsByRule', { Rule: 'r' })).toEqual({ Targets: [{ Id: 't', Arn: arn('f') }] });
    await expect(call('DescribeRule', { Name: 'x' })).rejects.toMatchObject({
      code: 'ResourceNotFoundException',
    });
    expect(await call('TestEventPattern', { EventPattern: '{"a":[1]}', Event: '{"a":1}' })).toEqual({
      Result: true,
    });
  });

  it('switches a rule off until its template changes, over restarts too', async () => {
    const definition = rule({ pattern: { source: ['aws.states'] } });
    buses.ensureRule(definition);
    await call('DisableRule', { Name: 'r' });
    buses.put(statusEvent);
    await create().start();
    buses.ensureRule(definition);
    buses.put(statusEvent);
    await clock.advance(0);
    expect(deliveries).toHaveLength(0);
    expect(await call('DescribeRule', { Name: 'r' })).toMatchObject({ State: 'DISABLED' });
    await call('EnableRule', { Name: 'r' });
    buses.put(statusEvent);
    await clock.advance(0);
    expect(deliveries).toHaveLength(1);
    await call('DisableRule', { Name: 'r' });
    await create().start();
    buses.ensureRule({ ...definition, state: 'DISABLED' });
    buses.ensureRule(definition);
    expect(buses.rule('r', 'default').state).toBe('DISABLED');
  });
});

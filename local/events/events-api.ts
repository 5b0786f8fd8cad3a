import * as z from 'zod';
import type { JsonApi } from '../aws/api.ts';
import { defineOperation } from '../aws/define-operation.ts';
import { timestamp } from '../aws/input.ts';
import { type Authorization, AwsError, type Operation } from '../aws/operation.ts';
import type { EventBuses } from './event-bus.ts';
import { compilePattern, InvalidEventPattern } from './event-pattern.ts';
import type { Rule } from './rule.ts';

const sizeLimit = 256 * 1024;

const entrySchema = z.strictObject({
  Time: timestamp.optional(),
  Source: z.string().optional(),
  DetailType: z.string().optional(),
  Detail: z.string().optional(),
  Resources: z.array(z.string()).optional(),
  EventBusName: z.string().optional(),
  TraceHeader: z.string().optional(),
});
type Entry = z.infer<typeof entrySchema>;

const putSchema = z.strictObject({ Entries: z.array(entrySchema).min(1).max(10) });
const busField = { EventBusName: z.string().default('default').transform(busNameOf) };
const ruleSchema = z.strictObject({ Name: z.string(), ...busField });
const targetsSchema = z.strictObject({ Rule: z.string(), ...busField, Limit: z.int().optional() });
const busSchema = z.strictObject({ Name: z.string().default('default').transform(busNameOf) });
const listSchema = z.strictObject({ NamePrefix: z.string().default(''), Limit: z.int().optional() });
const listRulesSchema = z.strictObject({ ...listSchema.shape, ...busField });
const testSchema = z.strictObject({ EventPattern: z.string(), Event: z.string() });

/** Buses are named by name or by ARN. */
function busNameOf(nameOrArn: string): string {
  return nameOrArn.replace(/^arn:.*:event-bus\//, '');
}

/** The operations of EventBridge that are emulated. */
export function eventsApi(buses: EventBuses): JsonApi {
  const operation = <T>(
    name: string,
    schema: z.ZodType<T>,
    resources: (input: T) => string[],
    run: (input: T) => unknown,
  ): [string, Operation] => {
    const authorize = (input: T) =>
      resources(input).map((resource) => ({ action: `events:${name}`, resource }));
    return [name, defineOperation(`events:${name}`, schema, { authorize, run })];
  };
  const ruleArn = (input: { Name: string; EventBusName: string }) => [
    buses
      .busArn(input.EventBusName)
      .replace(
        `event-bus/${input.EventBusName}`,
        `rule/${input.EventBusName === 'default' ? '' : `${input.EventBusName}/`}${input.Name}`,
      ),
  ];
  return {
    protocol: 'json',
    signingName: 'events',
    targetPrefix: 'AWSEvents',
    operations: Object.fromEntries([
      [
        'PutEvents',
        defineOperation('events:PutEvents', putSchema, {
          authorize: ({ Entries }) => Entries.map((entry) => putAuthorization(buses, entry)),
          run: ({ Entries }) => putEvents(buses, Entries),
        }),
      ],
      operation(
        'ListEventBuses',
        listSchema,
        () => ['*'],
        ({ NamePrefix }) => ({
          EventBuses: buses
            .busNames()
            .filter((name) => name.startsWith(NamePrefix))
            .map((name) => ({ Name: name, Arn: buses.busArn(name) })),
        }),
      ),
      operation(
        'DescribeEventBus',
        busSchema,
        ({ Name }) => [buses.busArn(Name)],
        ({ Name }) => {
          buses.rules(Name);
          return { Name, Arn: buses.busArn(Name) };
        },
      ),
      operation(
        'ListRules',
        listRulesSchema,
        () => ['*'],
        ({ NamePrefix, EventBusName }) => ({
          Rules: buses
            .rules(EventBusName)
            .filter(({ name }) => name.startsWith(NamePrefix))
            .map(describeRule),
        }),
      ),
      operation('DescribeRule', ruleSchema, ruleArn, ({ Name, EventBusName }) =>
        describeRule(buses.rule(Name, EventBusName)),
      ),
      operation(
        'ListTargetsByRule',
        targetsSchema,
        ({ Rule, EventBusName }) => ruleArn({ Name: Rule, EventBusName }),
        ({ Rule, EventBusName }) => ({ Targets: buses.rule(Rule, EventBusName).targets }),
      ),
      operation('EnableRule', ruleSchema, ruleArn, ({ Name, EventBusName }) =>
        buses.switchRule(Name, EventBusName, 'ENABLED'),
      ),
      operation('DisableRule', ruleSchema, ruleArn, ({ Name, EventBusName }) =>
        buses.switchRule(Name, EventBusName, 'DISABLED'),
      ),
      operation('TestEventPattern', testSchema, () => ['*'], testPattern),
    ]),
  };
}

function putAuthorization(buses: EventBuses, entry: Entry): Authorization {
  const { Source, DetailType } = entry;
  return {
    action: 'events:PutEvents',
    resource: buses.busArn(busNameOf(entry.EventBusName ?? 'default')),
    context: {
      ...(Source === undefined ? {} : { 'events:source': Source }),
      ...(DetailType === undefined ? {} : { 'events:detail-type': DetailType }),
    },
  };
}

function putEvents(buses: EventBuses, entries: readonly Entry[]): unknown {
  const size = entries.reduce((total, entry) => total + sizeOf(entry), 0);
  if (size > sizeLimit) {
    throw new AwsError('ValidationException', 'Total size of the entries in the request is over the limit.');
  }
  const results = entries.map((entry) => putEntry(buses, entry));
  return { FailedEntryCount: results.filter((result) => 'ErrorCode' in result).length, Entries: results };
}

function putEntry(buses: EventBuses, entry: Entry) {
  const failed = (ErrorCode: string, ErrorMessage: string) => ({ ErrorCode, ErrorMessage });
  const { Source, DetailType, Detail } = entry;
  if (!Source)
    return failed('InvalidArgument', 'Parameter Source is not valid. Reason: Source is a required argument.');
  if (!DetailType) {
    return failed(
      'InvalidArgument',
      'Parameter DetailType is not valid. Reason: DetailType is a required argument.',
    );
  }
  if (!Detail)
    return failed('InvalidArgument', 'Parameter Detail is not valid. Reason: Detail is a required argument.');
  if (Source.startsWith('aws.')) {
    return failed('NotAuthorizedForSourceException', 'Not authorized for the source.');
  }
  const detail = parseDetail(Detail);
  if (detail === undefined) return failed('MalformedDetail', 'Detail is malformed.');
  const busName = busNameOf(entry.EventBusName ?? 'default');
  if (!buses.hasBus(busName))
    return failed('ResourceNotFoundException', `Event bus ${busName} does not exist.`);
  const time = entry.Time?.getTime() ?? buses.now();
  const event = { source: Source, detailType: DetailType, resources: entry.Resources ?? [], detail, time };
  return { EventId: buses.put(event, busName) };
}

function parseDetail(text: string): Record<string, unknown> | undefined {
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** As AWS counts it: 14 bytes for a time, and the bytes of all texts. */
function sizeOf(entry: Entry): number {
  const texts = [entry.Source, entry.DetailType, entry.Detail, ...(entry.Resources ?? [])];
  return texts.reduce(
    (total, text) => total + Buffer.byteLength(text ?? ''),
    entry.Time === undefined ? 0 : 14,
  );
}

function testPattern({ EventPattern, Event }: z.infer<typeof testSchema>) {
  try {
    return { Result: compilePattern(JSON.parse(EventPattern))(JSON.parse(Event)) };
  } catch (error) {
    if (error instanceof InvalidEventPattern || error instanceof SyntaxError) {
      throw new AwsError('InvalidEventPatternException', error.message);
    }
    throw error;
  }
}

function describeRule(rule: Rule) {
  return {
    Name: rule.name,
    Arn: rule.arn,
    EventBusName: rule.busName,
    State: rule.state,
    EventPattern: rule.pattern === undefined ? undefined : JSON.stringify(rule.pattern),
    ScheduleExpression: rule.schedule,
    Description: rule.description,
  };
}

import * as z from 'zod';
import type { JsonApi } from '../aws/api.ts';
import { defineOperation } from '../aws/define-operation.ts';
import { AwsError, type Operation } from '../aws/operation.ts';
import { page } from '../aws/paging.ts';
import type { LogEvent } from './log-events.ts';
import { logFilter } from './log-filter.ts';
import type { Logs } from './logs.ts';

const token = z.string().optional();
const time = z.number().optional();
const describeGroupsSchema = z.strictObject({
  logGroupNamePrefix: z.string().default(''),
  limit: z.int().min(1).max(50).default(50),
  nextToken: token,
});
/** Groups are named by name or by ARN. */
const groupFields = { logGroupName: z.string().optional(), logGroupIdentifier: z.string().optional() };
const describeStreamsSchema = z.strictObject({
  ...groupFields,
  logStreamNamePrefix: z.string().default(''),
  orderBy: z.enum(['LogStreamName', 'LastEventTime']).default('LogStreamName'),
  descending: z.boolean().default(false),
  limit: z.int().min(1).max(50).default(50),
  nextToken: token,
});
const getSchema = z.strictObject({
  ...groupFields,
  logStreamName: z.string(),
  startTime: time,
  endTime: time,
  startFromHead: z.boolean().default(false),
  limit: z.int().min(1).max(10_000).default(10_000),
  nextToken: token,
});
const filterSchema = z.strictObject({
  ...groupFields,
  logStreamNames: z.array(z.string()).optional(),
  logStreamNamePrefix: z.string().default(''),
  startTime: time,
  endTime: time,
  filterPattern: z.string().default(''),
  interleaved: z.boolean().optional(),
  limit: z.int().min(1).max(10_000).default(10_000),
  nextToken: token,
});

/** The operations of CloudWatch Logs that are emulated: reading. */
export function logsApi(logs: Logs): JsonApi {
  interface Target {
    logGroupName?: string | undefined;
    logGroupIdentifier?: string | undefined;
    logStreamName?: string;
  }
  const authorizeOn =
    (action: string) =>
    <T extends Target>(input: T) => [
      {
        action: `logs:${action}`,
        resource: `${logs.arnOf(nameOf(input))}:log-stream:${input.logStreamName ?? ''}`,
      },
    ];
  const operations: Record<string, Operation> = {
    DescribeLogGroups: defineOperation('logs:DescribeLogGroups', describeGroupsSchema, {
      authorize: () => [{ action: 'logs:DescribeLogGroups', resource: `${logs.arnOf('')}:log-stream:` }],
      run: (input) => describeGroups(logs, input),
    }),
    DescribeLogStreams: defineOperation('logs:DescribeLogStreams', describeStreamsSchema, {
      authorize: authorizeOn('DescribeLogStreams'),
      run: (input) => describeStreams(logs, input),
    }),
    GetLogEvents: defineOperation('logs:GetLogEvents', getSchema, {
      authorize: authorizeOn('GetLogEvents'),
      run: (input) => getEvents(logs, input),
    }),
    FilterLogEvents: defineOperation('logs:FilterLogEvents', filterSchema, {
      authorize: authorizeOn('FilterLogEvents'),
      run: (input) => filterEvents(logs, input),
    }),
  };
  return { protocol: 'json', signingName: 'logs', targetPrefix: 'Logs_20140328', operations };
}

function describeGroups(logs: Logs, input: z.infer<typeof describeGroupsSchema>) {
  const wanted = logs.groups().filter(({ name }) => name.startsWith(input.logGroupNamePrefix));
  const { items, next } = page(wanted, {
    keyOf: ({ name }) => name,
    limit: input.limit,
    token: input.nextToken,
    invalidToken: 'InvalidParameterException',
  });
  const logGroups = items.map(({ name, retentionInDays }) => ({
    logGroupName: name,
    arn: `${logs.arnOf(name)}:*`,
    logGroupArn: logs.arnOf(name),
    retentionInDays,
  }));
  return { logGroups, nextToken: next };
}

async function describeStreams(logs: Logs, input: z.infer<typeof describeStreamsSchema>) {
  const name = nameOf(input);
  const byStream = Map.groupBy(await logs.events(name), ({ streamName }) => streamName);
  const streams = [...byStream]
    .filter(([streamName]) => streamName.startsWith(input.logStreamNamePrefix))
    .map(([streamName, events]) => ({
      logStreamName: streamName,
      arn: `${logs.arnOf(name)}:log-stream:${streamName}`,
      creationTime: events[0]?.timestamp,
      firstEventTimestamp: events[0]?.timestamp,
      lastEventTimestamp: events.at(-1)?.timestamp,
    }))
    .sort((a, b) =>
      input.orderBy === 'LastEventTime'
        ? (a.lastEventTimestamp ?? 0) - (b.lastEventTimestamp ?? 0)
        : a.logStreamName < b.logStreamName
          ? -1
          : 1,
    );
  if (input.descending) streams.reverse();
  const { items, next } = page(streams, {
    keyOf: ({ logStreamName }) => logStreamName,
    limit: input.limit,
    token: input.nextToken,
    invalidToken: 'InvalidParameterException',
  });
  return { logStreams: items, nextToken: next };
}

async function getEvents(logs: Logs, input: z.infer<typeof getSchema>) {
  const stream = (await logs.events(nameOf(input))).filter(
    ({ streamName }) => streamName === input.logStreamName,
  );
  if (stream.length === 0) {
    throw new AwsError('ResourceNotFoundException', 'The specified log stream does not exist.');
  }
  const events = stream.filter((event) => isBetween(event, input.startTime, input.endTime));
  const [from, to] = rangeOf(input, events.length);
  return {
    events: events
      .slice(from, to)
      .map(({ timestamp, message }) => ({ timestamp, message, ingestionTime: timestamp })),
    // The same token comes back at the end, as on AWS.
    nextForwardToken: `f/${to}`,
    nextBackwardToken: `b/${from}`,
  };
}

/** Which events a request is for: on from a token, or the first or last ones. */
function rangeOf(input: z.infer<typeof getSchema>, length: number): [number, number] {
  const { nextToken, limit, startFromHead } = input;
  if (nextToken === undefined)
    return startFromHead ? [0, Math.min(limit, length)] : [Math.max(0, length - limit), length];
  const [, direction, at] = /^([fb])\/(\d+)$/.exec(nextToken) ?? [];
  if (at === undefined)
    throw new AwsError('InvalidParameterException', 'The specified nextToken is invalid.');
  const position = Math.min(Number(at), length);
  if (direction === 'f') return [position, Math.min(position + limit, length)];
  return [Math.max(0, position - limit), position];
}

async function filterEvents(logs: Logs, input: z.infer<typeof filterSchema>) {
  const matches = logFilter(input.filterPattern);
  const wanted = (await logs.events(nameOf(input))).filter(
    (event) =>
      isBetween(event, input.startTime, input.endTime) &&
      (input.logStreamNames === undefined || input.logStreamNames.includes(event.streamName)) &&
      event.streamName.startsWith(input.logStreamNamePrefix) &&
      matches(event.message),
  );
  const { items, next } = page(wanted, {
    keyOf: ({ eventId }) => eventId,
    limit: input.limit,
    token: input.nextToken,
    invalidToken: 'InvalidParameterException',
  });
  const events = items.map(({ streamName, timestamp, message, eventId }) => ({
    logStreamName: streamName,
    timestamp,
    message,
    ingestionTime: timestamp,
    eventId,
  }));
  return { events, searchedLogStreams: [], nextToken: next };
}

function isBetween({ timestamp }: LogEvent, from = 0, to = Number.POSITIVE_INFINITY): boolean {
  return timestamp >= from && timestamp < to;
}

function nameOf(input: {
  logGroupName?: string | undefined;
  logGroupIdentifier?: string | undefined;
}): string {
  const given = input.logGroupName ?? input.logGroupIdentifier;
  if (given === undefined) throw new AwsError('InvalidParameterException', 'A log group must be given.');
  return given.replace(/^arn:[^:]+:logs:[^:]*:\d+:log-group:/, '').replace(/:\*$/, '');
}

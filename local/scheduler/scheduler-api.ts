import * as z from 'zod';
import type { RestApi, RestRequest } from '../aws/api.ts';
import { defineOperation } from '../aws/define-operation.ts';
import { timestamp } from '../aws/input.ts';
import { readJsonInput, writeJson } from '../aws/json-protocol.ts';
import type { Authorization, Operation } from '../aws/operation.ts';
import { page } from '../aws/paging.ts';
import { notEmulated } from '../aws/registry.ts';
import { type Schedule, scheduleFields } from './schedule.ts';
import type { ScheduleRequest, Scheduler } from './scheduler.ts';

const bodyLimit = 1024 * 1024;

const paging = {
  NextToken: z.string().optional(),
  MaxResults: z.coerce.number().int().min(1).max(100).default(100),
};
const writeSchema = z.strictObject({
  ...scheduleFields(timestamp.transform((date) => date.getTime())),
  ClientToken: z.string().optional(),
});
const identitySchema = z.strictObject({
  Name: z.string(),
  GroupName: z.string().default('default'),
  ClientToken: z.string().optional(),
});
const listSchema = z.strictObject({
  ...paging,
  GroupName: z.string().optional(),
  NamePrefix: z.string().default(''),
  State: z.enum(['ENABLED', 'DISABLED']).optional(),
});
const listGroupsSchema = z.strictObject({ ...paging, NamePrefix: z.string().default('') });
const groupSchema = z.strictObject({ Name: z.string() });

/** Requests by name; the last capture is a name. */
const routes: readonly (readonly [operation: string, method: string, path: RegExp])[] = [
  ['CreateSchedule', 'POST', /^\/schedules\/([^/]+)$/],
  ['GetSchedule', 'GET', /^\/schedules\/([^/]+)$/],
  ['UpdateSchedule', 'PUT', /^\/schedules\/([^/]+)$/],
  ['DeleteSchedule', 'DELETE', /^\/schedules\/([^/]+)$/],
  ['ListSchedules', 'GET', /^\/schedules$/],
  ['GetScheduleGroup', 'GET', /^\/schedule-groups\/([^/]+)$/],
  ['CreateScheduleGroup', 'POST', /^\/schedule-groups\/([^/]+)$/],
  ['DeleteScheduleGroup', 'DELETE', /^\/schedule-groups\/([^/]+)$/],
  ['ListScheduleGroups', 'GET', /^\/schedule-groups$/],
];

/** How members are called in a query string. */
const queryNames: Readonly<Record<string, string>> = {
  groupName: 'GroupName',
  clientToken: 'ClientToken',
  ScheduleGroup: 'GroupName',
};

/** EventBridge Scheduler's API. */
export function schedulerApi(scheduler: Scheduler): RestApi {
  const operations = operationsOf(scheduler);
  return {
    protocol: 'rest',
    signingName: 'scheduler',
    errors: 'json',
    operations,
    operationOf: ({ method, rawPath }) => routeOf(method, rawPath).operation,
    async handle(request) {
      const { operation: name, name: subject } = routeOf(request.method, request.rawPath);
      const operation = operations[name];
      if (operation === undefined) throw notEmulated('scheduler', name);
      const input = { ...(await membersOf(request)), ...(subject === undefined ? {} : { Name: subject }) };
      request.authorize(await operation.authorize(input, request.context));
      const output = await operation.run(input, request.context);
      return { status: 200, headers: { 'content-type': 'application/json' }, body: writeJson(output) };
    },
  };
}

function operationsOf(scheduler: Scheduler): Readonly<Record<string, Operation>> {
  const onSchedule = (action: string, schedule: { GroupName: string; Name: string }): Authorization => ({
    action: `scheduler:${action}`,
    resource: scheduler.scheduleArn(schedule),
  });
  const write = (
    action: 'CreateSchedule' | 'UpdateSchedule',
    run: (input: ScheduleRequest) => Promise<void>,
  ) =>
    defineOperation(`scheduler:${action}`, writeSchema, {
      authorize: (input) => [onSchedule(action, input), passRole(input)],
      async run(input) {
        await run(input);
        return { ScheduleArn: scheduler.scheduleArn(input) };
      },
    });
  return {
    CreateSchedule: write('CreateSchedule', (input) => scheduler.create(input)),
    UpdateSchedule: write('UpdateSchedule', (input) => scheduler.update(input)),
    GetSchedule: defineOperation('scheduler:GetSchedule', identitySchema, {
      authorize: (input) => [onSchedule('GetSchedule', input)],
      run: (input) => describe(scheduler, scheduler.schedule(input)),
    }),
    DeleteSchedule: defineOperation('scheduler:DeleteSchedule', identitySchema, {
      authorize: (input) => [onSchedule('DeleteSchedule', input)],
      run: (input) => scheduler.delete(input),
    }),
    ListSchedules: defineOperation('scheduler:ListSchedules', listSchema, {
      authorize: () => [{ action: 'scheduler:ListSchedules', resource: '*' }],
      run: (input) => list(scheduler, input),
    }),
    GetScheduleGroup: defineOperation('scheduler:GetScheduleGroup', groupSchema, {
      authorize: ({ Name }) => [{ action: 'scheduler:GetScheduleGroup', resource: scheduler.groupArn(Name) }],
      run: ({ Name }) => scheduler.group(Name),
    }),
    ListScheduleGroups: defineOperation('scheduler:ListScheduleGroups', listGroupsSchema, {
      authorize: () => [{ action: 'scheduler:ListScheduleGroups', resource: '*' }],
      run({ NamePrefix, MaxResults, NextToken }) {
        const wanted = scheduler.groups().filter(({ Name }) => Name.startsWith(NamePrefix));
        const { items, next } = page(wanted, {
          keyOf: ({ Name }) => Name,
          limit: MaxResults,
          token: NextToken,
          invalidToken: 'ValidationException',
        });
        return { ScheduleGroups: items, NextToken: next };
      },
    }),
  };
}

function passRole({ Target }: ScheduleRequest): Authorization {
  return {
    action: 'iam:PassRole',
    resource: Target.RoleArn,
    context: { 'iam:PassedToService': 'scheduler.amazonaws.com' },
  };
}

function describe(scheduler: Scheduler, schedule: Schedule) {
  const {
    ClientToken: _,
    Template: __,
    StartDate,
    EndDate,
    CreationDate,
    LastModificationDate,
    ...members
  } = schedule;
  return {
    ...members,
    Arn: scheduler.scheduleArn(schedule),
    StartDate: date(StartDate),
    EndDate: date(EndDate),
    CreationDate: date(CreationDate),
    LastModificationDate: date(LastModificationDate),
  };
}

function list(scheduler: Scheduler, input: z.infer<typeof listSchema>) {
  const wanted = scheduler
    .schedules()
    .filter(
      ({ GroupName, Name, State }) =>
        (input.GroupName === undefined || GroupName === input.GroupName) &&
        (input.State === undefined || State === input.State) &&
        Name.startsWith(input.NamePrefix),
    );
  const { items, next } = page(wanted, {
    keyOf: (schedule) => scheduler.scheduleArn(schedule),
    limit: input.MaxResults,
    token: input.NextToken,
    invalidToken: 'ValidationException',
  });
  const Schedules = items.map((schedule) => ({
    Arn: scheduler.scheduleArn(schedule),
    Name: schedule.Name,
    GroupName: schedule.GroupName,
    State: schedule.State,
    CreationDate: date(schedule.CreationDate),
    LastModificationDate: date(schedule.LastModificationDate),
    Target: { Arn: schedule.Target.Arn },
  }));
  return { Schedules, NextToken: next };
}

async function membersOf(request: RestRequest): Promise<Record<string, unknown>> {
  const query = [...request.query].map(([name, value]): [string, string] => [
    queryNames[name] ?? name,
    value,
  ]);
  return { ...Object.fromEntries(query), ...readJsonInput(await request.buffer(bodyLimit)) };
}

function routeOf(method: string, rawPath: string): { operation: string; name?: string } {
  for (const [operation, wanted, path] of routes) {
    const match = method === wanted ? path.exec(rawPath) : null;
    if (match === null) continue;
    return match[1] === undefined ? { operation } : { operation, name: decode(match[1]) };
  }
  return { operation: `${method} ${rawPath}` };
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function date(time: number | undefined): Date | undefined {
  return time === undefined ? undefined : new Date(time);
}

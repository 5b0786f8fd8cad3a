import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { OperationContext } from '../../../local/aws/operation.ts';
import { logFilter } from '../../../local/cloudwatch/log-filter.ts';
import { Logs } from '../../../local/cloudwatch/logs.ts';

const region = 'us-east-1';
const accountId = '000000000000';
const context: OperationContext = {
  principal: { kind: 'operator', arn: `arn:aws:iam::${accountId}:root` },
  region,
  accountId,
  requestId: 'r',
};
const group = '/aws/lambda/plan';
const at = (second: number) => Date.parse('2026-11-20T10:00:00Z') + second * 1000;
const line = (second: number, message: string) =>
  JSON.stringify({ level: 'INFO', timestamp: new Date(at(second)).toISOString(), message });

let directory: string;
let logs: Logs;
const call = async (operation: string, input: Record<string, unknown>) =>
  logs.api.operations[operation]?.run(input, context);

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'logs-'));
  logs = new Logs({ directory: join(directory, 'groups'), region, accountId });
  const file = join(directory, 'plan.log');
  writeFileSync(`${file}.1`, `${line(0, 'rotated')}\n`);
  writeFileSync(
    file,
    `${line(1, 'begin')}\nplain text\n${line(3, 'trace-1 end')}\n${line(3, 'trace-1 end')}\n`,
  );
  logs.ensureGroup({ name: group, functionFile: file, retentionInDays: 7 });
});
afterEach(async () => {
  await logs.stop();
  rmSync(directory, { recursive: true, force: true });
});

describe('a function’s log group', () => {
  it('shows the lines of its file, the rotated one first, each with its time', async () => {
    const answer = await call('GetLogEvents', {
      logGroupName: group,
      logStreamName: 'local',
      startFromHead: true,
    });
    expect(answer).toMatchObject({
      events: [
        { timestamp: at(0), message: line(0, 'rotated') },
        { timestamp: at(1), message: line(1, 'begin') },
        { timestamp: at(1), message: 'plain text' },
        { timestamp: at(3) },
        { timestamp: at(3) },
      ],
    });
  });

  it('is filtered by time and terms, in pages', async () => {
    const filter = (more: Record<string, unknown>) =>
      call('FilterLogEvents', { logGroupName: group, ...more });
    const first = Object(await filter({ filterPattern: '"trace-1 end"', limit: 1 }));
    expect(first.events).toHaveLength(1);
    const second = Object(
      await filter({ filterPattern: '"trace-1 end"', limit: 1, nextToken: first.nextToken }),
    );
    expect(second.events).toHaveLength(1);
    expect(second.nextToken).toBeUndefined();
    expect(second.events[0].eventId).not.toBe(first.events[0].eventId);
    expect(await filter({ startTime: at(1), endTime: at(3) })).toMatchObject({
      events: [{ message: line(1, 'begin') }, { message: 'plain text', logStreamName: 'local' }],
    });
  });

  it('is described, with its streams', async () => {
    expect(await call('DescribeLogGroups', { logGroupNamePrefix: '/aws/' })).toEqual({
      logGroups: [
        {
          logGroupName: group,
          arn: `arn:aws:logs:${region}:${accountId}:log-group:${group}:*`,
          logGroupArn: `arn:aws:logs:${region}:${accountId}:log-group:${group}`,
          retentionInDays: 7,
        },
      ],
    });
    expect(await call('DescribeLogStreams', { logGroupName: group })).toMatchObject({
      logStreams: [{ logStreamName: 'local', lastEventTimestamp: at(3) }],
    });
  });

  it('is not there for another name', async () => {
    const unknown = { logGroupName: 'none', logStreamName: 'local' };
    await expect(call('GetLogEvents', unknown)).rejects.toMatchObject({ code: 'ResourceNotFoundException' });
    await expect(
      call('GetLogEvents', { ...unknown, logGroupName: group, logStreamName: 'x' }),
    ).rejects.toMatchObject({
      code: 'ResourceNotFoundException',
    });
  });
});

describe('another log group', () => {
  it('keeps what is put into it', async () => {
    logs.ensureGroup({ name: '/aws/vendedlogs/states/backup' });
    const put = (stream: string, second: number) =>
      logs.put('/aws/vendedlogs/states/backup', stream, `event ${second}`, at(second));
    put('b', 2);
    put('a', 1);
    put('a', 3);
    const logGroupIdentifier = `${logs.arnOf('/aws/vendedlogs/states/backup')}:*`;
    expect(await call('FilterLogEvents', { logGroupIdentifier })).toMatchObject({
      events: [{ message: 'event 1' }, { message: 'event 2', logStreamName: 'b' }, { message: 'event 3' }],
    });
    const get = (more: Record<string, unknown>) =>
      call('GetLogEvents', { logGroupIdentifier, logStreamName: 'a', ...more });
    const page = Object(await get({ limit: 1 }));
    expect(page.events).toMatchObject([{ message: 'event 3' }]);
    const before = Object(await get({ limit: 1, nextToken: page.nextBackwardToken }));
    expect(before.events).toMatchObject([{ message: 'event 1' }]);
    const end = Object(await get({ nextToken: page.nextForwardToken }));
    expect(end).toMatchObject({ events: [], nextForwardToken: page.nextForwardToken });
    expect(
      await call('DescribeLogStreams', { logGroupIdentifier, orderBy: 'LastEventTime', descending: true }),
    ).toMatchObject({
      logStreams: [{ logStreamName: 'a' }, { logStreamName: 'b' }],
    });
  });
});

describe('a filter pattern', () => {
  it.each([
    ['', 'anything', true],
    ['ERROR', 'an ERROR here', true],
    ['a b', 'only a', false],
    ['"a b"', 'a  b', false],
    ['?a ?b', 'just b', true],
    ['?a ?b', 'c', false],
    ['a -b', 'a and b', false],
  ])('%j on %j is %s', (pattern, message, expected) => {
    expect(logFilter(pattern)(message)).toBe(expected);
  });

  it.each(['{ $.level = "ERROR" }', '[ip, user]', '%x%'])('%s is refused by name', (pattern) => {
    expect(() => logFilter(pattern)).toThrow(pattern);
  });
});

import { DeleteCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AuditReader } from '../../../../functions/access/audit/audit-reader.ts';
import { AuditTrail } from '../../../../functions/access/audit/audit-trail.ts';
import { sequenceKey } from '../../../../functions/access/audit/chain.ts';
import { dayMs, dayOf, laneCount } from '../../../../functions/access/audit/days.ts';
import { SealMac } from '../../../../functions/access/audit/seal-mac.ts';
import { SealStore } from '../../../../functions/access/audit/seals.ts';
import { chainPartition } from '../../../../functions/access/audit/table-keys.ts';
import { verifyTrail } from '../../../../functions/access/audit/verify-trail.ts';
import { startDynamo, type TestDynamo } from '../../shared/dynamodb.ts';
import { entryOf, type FakeKms, itemsOf, startKms } from './support.ts';

const keyArn = 'arn:aws:kms:us-east-1:000000000000:key/mrk-1';
let dynamo: TestDynamo;
let kms: FakeKms;
let table: string;
let tables = 0;
let now: number;
let lines: { level: string; message: string; extra: unknown }[];

const names = Array.from({ length: 13 }, (_, index) => `audit-${index}`);
beforeAll(async () => {
  [dynamo, kms] = await Promise.all([startDynamo(...names), startKms()]);
});
afterAll(async () => {
  await Promise.all([dynamo.stop(), kms.stop()]);
});

beforeEach(() => {
  table = names[tables++] ?? '';
  now = Date.UTC(2026, 10, 20, 10);
  lines = [];
});

const write = async (count: number, lane = 0) => {
  const trail = new AuditTrail({ client: dynamo.client, table, now: () => now, retentionDays: 90, lane });
  for (let index = 0; index < count; index++) await trail.append(entryOf({ target: `/${index}` }));
};

const verify = ({ retentionDays = 3, remainingMs = 900_000 } = {}) => {
  const line =
    (level: string) =>
    (message: unknown, ...[extra]: unknown[]) =>
      void lines.push({ level, message: String(message), extra });
  return verifyTrail({
    reader: new AuditReader(dynamo.client, table, () => now),
    seals: new SealStore(dynamo.client, table),
    mac: new SealMac(kms.kms, keyArn),
    now: () => now,
    retentionDays,
    remainingMs: () => remainingMs,
    log: { info: line('info'), error: line('error') },
  });
};

const item = (day: string, lane: number, sequence: number) => ({
  TableName: table,
  Key: { pk: chainPartition(day, lane), sk: sequenceKey(sequence) },
});
const remove = (day: string, lane: number, sequence: number) =>
  dynamo.client.send(new DeleteCommand(item(day, lane, sequence)));
const change = (day: string, lane: number, sequence: number) =>
  dynamo.client.send(
    new UpdateCommand({
      ...item(day, lane, sequence),
      UpdateExpression: 'SET target = :target',
      ExpressionAttributeValues: { ':target': '/other' },
    }),
  );
const removeSeal = (day: string, lane: number) =>
  dynamo.client.send(
    new DeleteCommand({ TableName: table, Key: { pk: 'SEAL', sk: `${day}#${sequenceKey(lane)}` } }),
  );
const nextDay = () => {
  now += dayMs;
  return dayOf(now);
};
const found = (result: Awaited<ReturnType<typeof verify>>) =>
  result.findings.map(({ day, lane, sequence, problem, known }) =>
    [day, lane, sequence, problem, ...(known ? ['known'] : [])].join(' '),
  );

describe('verifying the audit trail', () => {
  it('seals every chain of the day before, and finds it whole on the days after', async () => {
    await write(3, 0);
    await write(2, 5);
    nextDay();
    expect(await verify()).toMatchObject({
      ...{ from: '2026-11-18', to: '2026-11-20', entriesVerified: 5, chainsVerified: 3 * laneCount },
      ...{ chainsUnverified: 0, chainsSealed: laneCount, chainsBroken: 0, findings: [] },
    });
    await write(1, 0);
    nextDay();
    expect(await verify()).toMatchObject({ entriesVerified: 6, chainsSealed: laneCount, findings: [] });
    expect(await verify()).toMatchObject({ entriesVerified: 6, chainsSealed: 0, findings: [] });
    const seals = await new SealStore(dynamo.client, table).latest(7);
    expect(seals).toHaveLength(2 * laneCount);
    expect(seals[0]).toMatchObject({ day: '2026-11-21', lane: 7, entries: 0 });
    expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
    expect(lines.filter(({ message }) => message.includes('sealed'))).toHaveLength(2 * laneCount);
  });

  it('leaves today alone', async () => {
    await write(3);
    await remove(dayOf(now), 0, 2);
    expect(await verify()).toMatchObject({ entriesVerified: 0, findings: [] });
  });

  it('names day, lane and sequence of what was changed, in the result and in the log, and throws nothing', async () => {
    await write(4, 2);
    await change('2026-11-20', 2, 3);
    nextDay();
    const result = await verify();
    expect(found(result)).toEqual(['2026-11-20 2 3 changed']);
    expect(result.chainsBroken).toBe(1);
    expect(lines.filter(({ level }) => level === 'error').map(({ extra }) => extra)).toEqual([
      { finding: result.findings[0] },
    ]);
    expect(await new SealStore(dynamo.client, table).lastVerification()).toEqual(result);
  });

  it('tells once of a chain that was broken before it was sealed, and again of what is new', async () => {
    await write(4);
    await change('2026-11-20', 0, 1);
    nextDay();
    expect((await verify()).chainsBroken).toBe(1);
    nextDay();
    const second = await verify();
    expect(second.chainsBroken).toBe(0);
    expect(found(second)).toEqual(['2026-11-20 0 1 changed known']);
    await change('2026-11-20', 0, 3);
    expect((await verify()).chainsBroken).toBe(1);
  });

  it('finds that the end of a sealed chain was removed', async () => {
    await write(4);
    nextDay();
    await verify();
    await remove('2026-11-20', 0, 4);
    const result = await verify();
    expect(found(result)).toEqual(['2026-11-20 0 4 cut-off']);
    expect(result.chainsBroken).toBe(1);
  });

  it('finds that all of a sealed chain was removed, and that something was added to one', async () => {
    await write(1, 0);
    await write(1, 1);
    nextDay();
    await verify();
    await remove('2026-11-20', 0, 1);
    now -= dayMs;
    await write(1, 1);
    nextDay();
    expect(found(await verify()).toSorted()).toEqual([
      '2026-11-20 0 1 cut-off',
      '2026-11-20 1 2 added-after-seal',
    ]);
  });

  it('finds a seal that was changed: nobody but KMS can make its MAC', async () => {
    await write(2);
    nextDay();
    await verify();
    await dynamo.client.send(
      new UpdateCommand({
        TableName: table,
        Key: { pk: 'SEAL', sk: `2026-11-20#${sequenceKey(0)}` },
        UpdateExpression: 'SET findings = :one',
        ExpressionAttributeValues: { ':one': 1 },
      }),
    );
    expect(found(await verify())).toEqual(['2026-11-20 0 0 seal-changed']);
  });

  it('finds a removed seal by the one of the day after, with and without the chain itself', async () => {
    await write(1);
    nextDay();
    await verify();
    nextDay();
    await verify();
    await removeSeal('2026-11-20', 0);
    expect(new Set(found(await verify()))).toEqual(new Set(['2026-11-20 0 0 seal-missing']));
    await remove('2026-11-20', 0, 1);
    expect(found(await verify())).toEqual(['2026-11-20 0 0 seal-missing']);
    expect((await verify()).chainsSealed).toBe(0);
  });

  it('seals days on which it did not run', async () => {
    await write(1);
    nextDay();
    await write(1);
    nextDay();
    nextDay();
    expect(await verify()).toMatchObject({ entriesVerified: 2, findings: [] });
    const seals = await new SealStore(dynamo.client, table).since('2026-11-01');
    const ofLane = seals.filter(({ lane }) => lane === 0);
    expect(ofLane.map(({ day, entries, previous }) => [day, entries, previous !== null])).toEqual([
      ['2026-11-20', 1, false],
      ['2026-11-21', 1, true],
      ['2026-11-22', 0, true],
    ]);
    expect((await verify()).findings).toEqual([]);
  });

  it('reads no further back than entries are kept, and no further than 30 days', async () => {
    await write(1);
    now += 3 * dayMs;
    expect(await verify({ retentionDays: 2 })).toMatchObject({ from: '2026-11-21', entriesVerified: 0 });
    expect(await verify({ retentionDays: 90 })).toMatchObject({ from: '2026-10-24', chainsVerified: 240 });
    const [stored] = await itemsOf(dynamo, table, '2026-11-20', 0);
    expect(stored).toBeDefined();
  });

  it('says what it had no time for, and seals nothing that it has not read', async () => {
    await write(1);
    nextDay();
    expect(await verify({ remainingMs: 10_000 })).toMatchObject({
      ...{ chainsVerified: 0, chainsUnverified: 3 * laneCount, chainsSealed: 0 },
    });
    expect(lines.some(({ level, message }) => level === 'error' && message.includes('no time'))).toBe(true);
  });

  it('tells of a chain that it cannot seal, because something is in the place of its seal', async () => {
    await write(1);
    const Item = { pk: 'SEAL', sk: `2026-11-20#${sequenceKey(0)}` };
    await dynamo.client.send(new PutCommand({ TableName: table, Item }));
    nextDay();
    const result = await verify();
    expect(found(result)).toEqual(['2026-11-20 0 0 seal-changed']);
    expect(result).toMatchObject({ chainsBroken: 1, chainsSealed: laneCount - 1 });
  });

  it('counts an item in a seal’s place that is none as no seal', async () => {
    await write(1);
    nextDay();
    await verify();
    nextDay();
    await verify();
    await dynamo.client.send(
      new PutCommand({ TableName: table, Item: { pk: 'SEAL', sk: `2026-11-20#${sequenceKey(0)}` } }),
    );
    expect(new Set(found(await verify()))).toEqual(new Set(['2026-11-20 0 0 seal-missing']));
  });
});

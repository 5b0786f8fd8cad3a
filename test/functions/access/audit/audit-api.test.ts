import '../../shared/output.ts';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import { auditHandlers } from '../../../../functions/access/audit/audit-api.ts';
import { AuditReader } from '../../../../functions/access/audit/audit-reader.ts';
import { AuditTrail } from '../../../../functions/access/audit/audit-trail.ts';
import { auditRoutes } from '../../../../functions/access/audit/contract.ts';
import { dayMs, laneCount } from '../../../../functions/access/audit/days.ts';
import type { AuditEntry } from '../../../../functions/access/audit/entry.ts';
import { type ExportPosition, exportDay } from '../../../../functions/access/audit/export-day.ts';
import { auditEntrySchema, type ChainedEntry } from '../../../../functions/access/audit/model.ts';
import { SealStore } from '../../../../functions/access/audit/seals.ts';
import { chainPartition } from '../../../../functions/access/audit/table-keys.ts';
import { defineContract } from '../../../../functions/shared/contract.ts';
import { type HttpLambda, httpFunction } from '../../../../functions/shared/http-function.ts';
import { startDynamo, type TestDynamo } from '../../shared/dynamodb.ts';
import { httpEvent, lambdaContext } from '../../shared/lambda.ts';
import { entryOf } from './support.ts';

const table = 'audit';
const start = Date.UTC(2026, 10, 18, 12);
const tampered = '2026-10-01';
let dynamo: TestDynamo;
let call: HttpLambda;
let now = start;

beforeAll(async () => {
  dynamo = await startDynamo(table);
  const trail = new AuditTrail({ client: dynamo.client, table, now: () => now, retentionDays: 90 });
  const add = (hours: number, changes: Partial<AuditEntry> = {}) => {
    now = start + hours * 3_600_000;
    return trail.append(entryOf({ at: new Date(now).toISOString(), target: `/hours/${hours}`, ...changes }));
  };
  for (let hours = 0; hours < 72; hours += 6) {
    await add(hours, {
      actor: hours % 12 === 0 ? { keyId: 'abcdefgh', name: 'One', tenant: 'acme' } : { keyId: 'ijklmnop' },
      ...(hours % 24 === 0 ? { outcome: 'refused', status: 401, action: 'credential.refused' } : {}),
    });
  }
  now = start + 3 * dayMs;
  await dynamo.client.send(
    new PutCommand({
      TableName: table,
      Item: {
        ...{ pk: chainPartition(tampered, 0), sk: '000000000001', gsi1pk: `AUDIT#${tampered}`, hash: 'none' },
        ...{ gsi1sk: `${tampered}T10:00:00.000Z#x`, expiresAt: now },
      },
    }),
  );
  const contract = defineContract({
    ...{ name: 'access', title: 'Access', description: 'Audit.', routes: auditRoutes, functions: {} },
  });
  const caller = { keyId: 'abcdefgh', name: 'One', scopes: ['admin'], tier: 'free' } as const;
  call = httpFunction({
    contract,
    functionContract: { environment: z.object({}) },
    handlers: () => auditHandlers({ client: dynamo.client, table, now: () => now }),
    gate: () => ({
      admit: async () => ({ caller, headers: {} }),
      once: (_call, handle) => handle(),
      record: async () => {},
    }),
    environment: {},
  });
});
afterAll(() => dynamo.stop());

async function get(path: string, query = '') {
  const { statusCode, body = '', headers = {} } = await call(httpEvent({ path, query }), lambdaContext());
  return { status: statusCode, body, headers };
}

const pageSchema = z.strictObject({ entries: z.array(auditEntrySchema), nextToken: z.string().nullable() });
async function list(query: string) {
  const { status, body } = await get('/api/access/audit', query);
  expect([status, body]).toEqual([200, expect.any(String)]);
  return pageSchema.parse(JSON.parse(body));
}
async function listAll(query: string): Promise<ChainedEntry[]> {
  const entries: ChainedEntry[] = [];
  for (let token: string | null = '', pages = 0; token !== null && pages < 50; pages++) {
    const page = await list(token === '' ? query : `${query}&nextToken=${token}`);
    entries.push(...page.entries);
    token = page.nextToken;
  }
  return entries;
}
const hoursOf = (entries: readonly ChainedEntry[]) =>
  entries.map(({ target }) => Number(target.replace('/hours/', '')));
const everything = 'from=2026-11-16T00:00:00Z&to=2026-11-24T00:00:00Z';
const all = Array.from({ length: 12 }, (_, index) => 66 - index * 6);

describe('GET /api/access/audit', () => {
  it('lists the last 24 hours, newest first', async () => {
    expect(hoursOf((await list('')).entries)).toEqual([66, 60, 54, 48]);
  });

  it('lists any span, its end not included, whatever the offset it is written with', async () => {
    expect(hoursOf(await listAll(everything))).toEqual(all);
    const span = 'from=2026-11-19T01:00:00%2B01:00&to=2026-11-19T12:00:00Z';
    expect(hoursOf(await listAll(span))).toEqual([18, 12]);
  });

  it.each([1, 2, 5, 12])('gives every entry once in pages of %i', async (limit) => {
    expect(hoursOf(await listAll(`${everything}&limit=${limit}`))).toEqual(all);
  });

  it('filters by key, tenant, action and outcome', async () => {
    expect(hoursOf(await listAll(`${everything}&actor=ijklmnop`))).toEqual([66, 54, 42, 30, 18, 6]);
    expect(hoursOf(await listAll(`${everything}&tenantId=acme&limit=2`))).toEqual([60, 48, 36, 24, 12, 0]);
    expect(hoursOf(await listAll(`${everything}&action=credential.`))).toEqual([48, 24, 0]);
    expect(hoursOf(await listAll(`${everything}&outcome=succeeded&tenantId=acme`))).toEqual([60, 36, 12]);
  });

  it('goes on over a long time without entries, in bounded steps', async () => {
    const long = 'from=2026-09-01T00:00:00Z&to=2026-12-31T00:00:00Z';
    const first = await list(`${long}&action=nothing`);
    expect(first.entries).toEqual([]);
    expect(first.nextToken).not.toBeNull();
    expect(hoursOf(await listAll(long))).toEqual(all);
  });

  it('leaves out what has expired', async () => {
    const before = now;
    now += 100 * dayMs;
    expect(await listAll(everything)).toEqual([]);
    now = before;
  });

  it.each([
    ['from=2026-11-20T00:00:00Z&to=2026-11-20T00:00:00Z', 'query.from'],
    ['from=2024-11-20T00:00:00Z', 'query.from'],
    ['from=yesterday', 'query.from'],
    ['outcome=good', 'query.outcome'],
    ['tenantId=No', 'query.tenantId'],
    ['nextToken=abc', 'query.nextToken'],
    [`nextToken=${Buffer.from('["audit","2026-99-99"]').toString('base64url')}`, 'query.nextToken'],
    ['who=me', 'query.who'],
  ])('refuses %s', async (query, field) => {
    const { status, body } = await get('/api/access/audit', query);
    expect([status, JSON.parse(body).errors[0].field]).toEqual([400, field]);
  });
});

const exported = async (day: string) => (await get('/api/access/audit/export', `day=${day}`)).body;

/** The program that the page on operations shows, with a text as its input. */
function verifyByThePage(input: string): string {
  const page = readFileSync(join(process.cwd(), 'docs/operations/audit.md'), 'utf8');
  const program = /```js\n([\s\S]*?)```/.exec(page)?.[1];
  if (program === undefined) throw new Error('The page shows no program');
  return execFileSync('node', ['--input-type=module', '--eval', program], {
    ...{ input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] },
  });
}

describe('GET /api/access/audit/export', () => {
  it('gives a day as lines of JSON that the page’s program verifies, and prints the end of each chain', async () => {
    const answer = await get('/api/access/audit/export', 'day=2026-11-19');
    expect(answer.headers).toMatchObject({ 'content-type': 'application/x-ndjson' });
    expect(answer.headers).not.toHaveProperty('link');
    const entries = answer.body
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => auditEntrySchema.parse(JSON.parse(line)));
    expect(entries).toHaveLength(4);
    const last = entries.at(-1);
    expect(verifyByThePage(answer.body)).toBe(`2026-11-19:${last?.lane} 4 ${last?.hash}\n`);
  });

  it('is refused by the page’s program when anything was changed, removed or moved', async () => {
    const text = await exported('2026-11-19');
    const lines = text.trimEnd().split('\n');
    for (const changed of [
      text.replace('/hours/', '/other/'),
      lines.toSpliced(1, 1).join('\n'),
      lines.toReversed().join('\n'),
    ]) {
      expect(() => verifyByThePage(changed)).toThrow('is not as it was written');
    }
  });

  it('is empty for a day without entries, and shows what is no entry as it is', async () => {
    expect(await exported('2026-11-01')).toBe('');
    expect(await exported(tampered)).toBe('{"hash":"none"}\n');
  });

  it('comes in pieces that together are the whole, cut between entries and chains', async () => {
    const day = '2026-11-25';
    for (const lane of [1, 1, 1, 6, 6]) {
      const at = Date.parse(day);
      const trail = new AuditTrail({ client: dynamo.client, table, now: () => at, retentionDays: 90, lane });
      await trail.append(entryOf());
    }
    const whole = await exported(day);
    const reader = new AuditReader(dynamo.client, table, () => now);
    for (const maximumBytes of [1, 1_500, 2_500]) {
      const pieces: string[] = [];
      let next: ExportPosition | undefined = { lane: 0 };
      while (next !== undefined) {
        const page = await exportDay(reader, day, next, maximumBytes);
        pieces.push(page.text);
        next = page.next;
      }
      expect(pieces.length).toBeGreaterThan(1);
      expect(pieces.join('')).toBe(whole);
      for (const piece of pieces.filter((text) => text.trimEnd().includes('\n'))) {
        expect(JSON.stringify(piece).length - 2).toBeLessThanOrEqual(maximumBytes);
      }
    }
  });

  it('says in Link where the rest is', async () => {
    const day = '2026-11-26';
    const at = Date.parse(day);
    const big = 'x'.repeat(300_000);
    for (let sequence = 1; sequence <= 15; sequence++) {
      const sk = String(sequence).padStart(12, '0');
      const Item = { pk: chainPartition(day, 0), sk, sequence, big, expiresAt: at };
      await dynamo.client.send(new PutCommand({ TableName: table, Item }));
    }
    const first = await get('/api/access/audit/export', `day=${day}`);
    expect(first.body.trimEnd().split('\n')).toHaveLength(13);
    const link = /^<([^?]*)\?([^>]*)>; rel="next"$/.exec(String(first.headers.link));
    const second = await get(link?.[1] ?? '', link?.[2] ?? '');
    expect(second.body.trimEnd().split('\n')).toHaveLength(2);
    expect(second.headers).not.toHaveProperty('link');
  });

  it('refuses a day that is none', async () => {
    expect((await get('/api/access/audit/export', 'day=2026-02-30')).status).toBe(400);
    expect((await get('/api/access/audit/export')).status).toBe(400);
  });
});

describe('GET /api/access/audit/verification', () => {
  it('shows the last verification and the latest seals', async () => {
    const path = '/api/access/audit/verification';
    expect(JSON.parse((await get(path)).body)).toEqual({ last: null, seals: [] });
    const seals = new SealStore(dynamo.client, table);
    const seal = {
      ...{ day: '2026-11-19', lane: 0, entries: 4, head: 'a'.repeat(64), findings: 0, previous: null },
      ...{ sealedAt: '2026-11-20T03:00:00.000Z', mac: 'AAAA' },
    };
    expect(await seals.add(seal, 90)).toBe(true);
    expect(await seals.add({ ...seal, entries: 5 }, 90)).toBe(false);
    const verification = {
      ...{ at: '2026-11-20T03:00:00.000Z', from: '2026-10-21', to: '2026-11-19', entriesVerified: 9 },
      ...{
        chainsVerified: 30 * laneCount,
        chainsUnverified: 0,
        chainsBroken: 0,
        chainsSealed: 1,
        findings: [],
      },
    };
    await seals.addVerification(verification, 90);
    expect(JSON.parse((await get(path)).body)).toEqual({ last: verification, seals: [seal] });
  });
});

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AuditTrail } from '../../../../functions/access/audit/audit-trail.ts';
import { dayMs, laneCount } from '../../../../functions/access/audit/days.ts';
import { startDynamo, type TestDynamo } from '../../shared/dynamodb.ts';
import { lambdaContext } from '../../shared/lambda.ts';
import { takeRecords } from '../../shared/output.ts';
import { entryOf, type FakeKms, startKms } from './support.ts';

const table = 'audit';
let dynamo: TestDynamo;
let kms: FakeKms;
const before = { ...process.env };

beforeAll(async () => {
  [dynamo, kms] = await Promise.all([startDynamo(table), startKms()]);
  Object.assign(process.env, {
    AUDIT_TABLE: table,
    AUDIT_DAYS: '2',
    HMAC_KEY_ARN: 'arn:aws:kms:us-east-1:000000000000:key/mrk-1',
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_ENDPOINT_URL_DYNAMODB: dynamo.url,
    AWS_ENDPOINT_URL_KMS: kms.settings.endpoint,
  });
});
afterAll(async () => {
  process.env = before;
  await Promise.all([dynamo.stop(), kms.stop()]);
});

describe('the function that verifies the audit trail', () => {
  it('seals yesterday’s chains, answers what it found, and counts it', async () => {
    const now = () => Date.now() - dayMs;
    const trail = new AuditTrail({ client: dynamo.client, table, now, retentionDays: 2 });
    await trail.append(entryOf());
    await trail.append(entryOf());
    const { handler } = await import('../../../../functions/access/verify-audit.ts');
    takeRecords();
    expect(await handler({ id: 'a schedule' }, lambdaContext(900_000))).toMatchObject({
      ...{ entriesVerified: 2, chainsVerified: 2 * laneCount, chainsSealed: laneCount, findings: [] },
    });
    expect(takeRecords()).toContainEqual(
      expect.objectContaining({ AuditEntriesVerified: 2, AuditChainsBroken: 0, AuditChainsUnverified: 0 }),
    );
    expect(new Set(kms.calls.map(({ operation }) => operation))).toEqual(new Set(['GenerateMac']));
  });
});

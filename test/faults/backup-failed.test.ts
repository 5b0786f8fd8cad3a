import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { awsConfig } from '../e2e/support/aws.ts';
import { Backups } from '../e2e/support/backups.ts';
import { onShard } from '../e2e/support/databases.ts';
import { waitFor } from '../support/wait-for.ts';

jest.setTimeout(300_000);

const shard = 'shard-b';

describe('a backup that fails', () => {
  let backups: Backups;

  beforeAll(async () => {
    backups = await Backups.open();
  });
  afterAll(async () => {
    await onShard(backups.local, shard, (client) =>
      client.query('SELECT lo_unlink(oid) FROM pg_largeobject_metadata'),
    );
    await backups.tidy();
  });

  it('raises the alarm backup-failed', async () => {
    await onShard(backups.local, shard, (client) =>
      client.query("SELECT lo_from_bytea(0, 'not a row of any table')"),
    );
    const refused = await backups.ended(await backups.start({ shards: [shard] }));
    expect(refused.state).toBe('failed');
    const alarms = new CloudWatchClient(awsConfig(backups.local));
    const raised = await waitFor(
      async () => {
        const { MetricAlarms = [] } = await alarms.send(new DescribeAlarmsCommand({ StateValue: 'ALARM' }));
        return MetricAlarms.find(({ AlarmName }) => AlarmName?.endsWith('backup-failed'));
      },
      // Metrics count when their minute is over, and alarms are evaluated some seconds later.
      { what: 'the alarm backup-failed', intervalMs: 500, timeoutMs: 150_000 },
    );
    expect(raised).toMatchObject({ AlarmDescription: expect.stringContaining('runbooks/backup-failed') });
  });
});

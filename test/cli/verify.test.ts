import { describe, expect, it } from '@jest/globals';
import { FakePlatform } from './support/fake-platform.ts';
import { mainstay } from './support/run.ts';
import { backupId, backupSummary, operation, operationId } from './support/samples.ts';

const verify = 'POST /api/disaster-recovery/encryption/verify';
const one = `GET /api/disaster-recovery/encryption/operations/${operationId}`;
const complete = 'GET /api/disaster-recovery/backups?limit=100&state=completed';

describe('mainstay verify', () => {
  it('reads the latest complete backup back', async () => {
    await using platform = await FakePlatform.start();
    platform.on(complete, { body: { backups: [backupSummary()], nextToken: null } });
    platform.on(verify, { status: 202, body: operation() }).on(one, { body: operation() });
    const { code, stdout } = await mainstay(platform, ['verify']);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `  backup ${backupId}: intact (7 objects, 1.0 MB)\n`,
    });
    expect(platform.calls[1]?.body).toEqual({ backupId });
  });

  it('compares only the hashes with --hashes', async () => {
    await using platform = await FakePlatform.start();
    platform.on(`${verify}-hash`, { status: 202, body: operation() }).on(one, { body: operation() });
    expect((await mainstay(platform, ['verify', backupId, '--hashes'])).code).toBe(0);
  });

  it('names every object that is wrong, and ends with 4', async () => {
    await using platform = await FakePlatform.start();
    const damaged = operation({
      intact: false,
      findingsTotal: 1,
      findings: [
        {
          object: `backups/${backupId}/shard-a/rows/000000.copy.zst.enc`,
          versionId: '1',
          problem: 'hash-mismatch',
          detail: 'It has another SHA-256.',
          shard: 'shard-a',
          relation: 'app.users',
        },
      ],
    });
    platform.on(verify, { status: 202, body: operation() }).on(one, { body: damaged });
    const { code, stdout } = await mainstay(platform, ['verify', backupId]);
    expect(code).toBe(4);
    expect(stdout).toBe(
      `  backup ${backupId}: damaged, 1 wrong (7 objects, 1.0 MB)\n` +
        '    shard-a/rows/000000.copy.zst.enc\n    hash-mismatch, rows of app.users\n    It has another SHA-256.\n',
    );
    expect((await mainstay(platform, ['verify', backupId, '--json'])).code).toBe(4);
  });

  it('proves nothing, and ends with 1, when the verification fails', async () => {
    await using platform = await FakePlatform.start();
    const failed = operation({ state: 'failed', intact: null, error: { code: 'X', message: 'No key.' } });
    platform.on(verify, { status: 202, body: operation() }).on(one, { body: failed });
    const { code, stdout, stderr } = await mainstay(platform, ['verify', backupId]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: `  backup ${backupId}: not proven\n` });
    expect(stderr).toContain(`The verification ${operationId} failed: No key.`);
  });

  it('says how to take a backup where there is none', async () => {
    await using platform = await FakePlatform.start();
    platform.on(complete, { body: { backups: [], nextToken: null } });
    const { code, stderr } = await mainstay(platform, ['verify']);
    expect(code).toBe(1);
    expect(stderr).toContain('There is no complete backup yet: npx mainstay backup takes one.');
  });
});

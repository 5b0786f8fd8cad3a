import { describe, expect, it } from '@jest/globals';
import { type BackupRecord, backupRecordSchema } from '../../../functions/recovery/catalog/backup-record.ts';
import { backupSummarySchema } from '../../../functions/recovery/model.ts';
import { toSummary } from '../../../functions/recovery/view.ts';

const stored = {
  id: '01K9Z3V5Q0J8X7N2T4R6M1C9HB',
  state: 'completed',
  type: 'full',
  trigger: 'api',
  traceparent: '',
  shards: ['shard-a'],
  createdAt: '2026-11-20T10:00:00.000Z',
  manifest: { key: 'k', versionId: 'v', sha256: 's' },
};
const completed: BackupRecord = backupRecordSchema.parse(stored);

describe('a backup in a list', () => {
  it('tells what the latest verification found, and is not verified where that was damage', () => {
    const verification = { operationId: 'o', state: 'completed', at: '2026-11-20T11:00:00.000Z' };
    const shown = (findings?: number) =>
      backupSummarySchema.parse(
        toSummary(
          backupRecordSchema.parse({
            ...stored,
            ...(findings !== undefined && { verification: { ...verification, findings } }),
          }),
        ),
      );
    expect(shown()).toMatchObject({ verified: true, verification: null });
    expect(shown(0)).toMatchObject({ verified: true, verification: { findings: 0 } });
    expect(shown(2)).toMatchObject({ verified: false, verification: { findings: 2, operationId: 'o' } });
  });

  it('is not verified before its manifest is written', () => {
    const { manifest, ...running } = completed;
    expect(manifest).toBeDefined();
    expect(toSummary(running).verified).toBe(false);
  });
});

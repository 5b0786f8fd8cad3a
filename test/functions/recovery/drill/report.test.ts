import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { assertionsSchema, unmet } from '../../../../functions/recovery/drill/assertion.ts';
import { drillIdOf, drillIdSchema, scratchName } from '../../../../functions/recovery/drill/ids.ts';
import { duration, renderMarkdown, text } from '../../../../functions/recovery/drill/markdown.ts';
import { differenceOf } from '../../../../functions/recovery/drill/proof.ts';
import { type DrillReport, drillReportSchema } from '../../../../functions/recovery/drill/report.ts';
import { formatOf } from '../../../../functions/recovery/drill/report-format.ts';

const at = '2026-11-22T04:00:00.000Z';

function report(changes: Partial<Record<keyof DrillReport, unknown>> = {}): DrillReport {
  return drillReportSchema.parse({
    format: 'mainstay.drill',
    formatVersion: 1,
    ...{ drillId: 'D1', outcome: 'completed', trigger: 'schedule', requestedBy: null },
    ...{ createdAt: at, startedAt: at, finishedAt: at, restorePoint: 'latest', keys: 'kms' },
    backup: { backupId: 'B1', createdAt: at, ageMs: 7_200_000 },
    rpo: {
      ...{ targetMs: 93_600_000, measuredMs: 7_200_000, met: true },
      shards: [{ shard: 'shard-a', backupId: 'B1', snapshotAt: at, rpoMs: 7_200_000 }],
    },
    rto: {
      ...{ targetMs: 60_000, measuredMs: 200_000, met: false },
      stages: [{ stage: 'plan', durationMs: 200_000 }],
    },
    verification: { reused: true, reason: 'It holds.', objects: 7, operationId: null },
    restore: {
      ...{ restoreId: 'D1', state: 'completed', identical: true, objects: 4, rows: 40, bytes: 4_000 },
      ...{ tablesCompared: 3, database: 'mainstay_drill_d1', leftOut: [], leftOutTotal: 0 },
    },
    checks: [{ shard: 'shard-a', check: 'indexes', checked: 9, findings: 0, durationMs: 5 }],
    ...{ findings: [], findingsTotal: 0, scratchDatabases: 'removed', error: null },
    ...changes,
  });
}

describe('the report of a drill in Markdown', () => {
  it('says what was measured against which target, and what was proven', () => {
    const markdown = renderMarkdown(report());
    expect(markdown).toContain('# Drill D1: completed\n');
    expect(markdown).toContain('**2 h 0 min**, within the target of 1 d 2 h.');
    expect(markdown).toContain('**3 min 20 s**, **over** the target of 1 min 0 s.');
    expect(markdown).toContain('3 tables were read again: rows and digests are those of the backup.');
    expect(markdown).toContain('| shard-a | indexes | 9 | 0 | 0.0 s |');
    expect(markdown).not.toContain('## Findings');
  });

  it('says why it failed, of which shard there is no backup, and what is accepted', () => {
    const markdown = renderMarkdown(
      report({
        outcome: 'failed',
        restore: null,
        error: { code: 'X', message: 'No | key' },
        rpo: {
          ...{ targetMs: 1, measuredMs: null, met: null },
          shards: [{ shard: 'shard-a', backupId: null, snapshotAt: null, rpoMs: null }],
        },
        findings: [{ shard: 'shard-a', check: 'sequences', object: 's', problem: 'p', accepted: true }],
        findingsTotal: 3,
      }),
    );
    expect(markdown).toContain('**`X`**: No \\| key');
    expect(markdown).toContain('| shard-a | **none** |');
    expect(markdown).toContain('Nothing was restored.');
    expect(markdown).toContain('| shard-a | sequences | s | p (accepted) |\n\nand 2 more');
  });

  it('keeps its form whatever a message holds', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (message) => {
        const lines = renderMarkdown(
          report({
            findings: [
              { shard: 'shard-a', check: 'indexes', object: message, problem: message, accepted: false },
            ],
            findingsTotal: 1,
          }),
        ).split('\n');
        const row = lines.at(-2) ?? '';
        // As many cells as the header has.
        expect(row.replaceAll(/\\./g, '').match(/\|/g)).toHaveLength(5);
        expect(text(message)).not.toMatch(/\n/);
      }),
    );
  });

  it.each([
    [999, '1.0 s'],
    [61_000, '1 min 1 s'],
    [3_600_000, '1 h 0 min'],
    [90_000_000, '1 d 1 h'],
  ])('writes %i ms as %s', (ms, written) => expect(duration(ms)).toBe(written));
});

describe('the form of a report', () => {
  it.each([
    [undefined, 'json'],
    ['*/*', 'json'],
    ['text/markdown', 'markdown'],
    ['text/*', 'markdown'],
    ['text/markdown, application/json', 'json'],
    ['text/markdown;q=0.5, application/json', 'json'],
    ['application/json;q=0.5, text/markdown;q=0.9', 'markdown'],
    ['text/markdown;q=nonsense', 'json'],
  ])('asked for by %j is %s', (accept, format) => expect(formatOf(accept)).toBe(format));
});

describe('assertions in the configuration', () => {
  const one = { name: 'a', sql: 'SELECT 1', expect: 'true' };
  it.each([
    [[{ ...one, expect: 'rows' }], 'expect'],
    [[{ ...one, shard: 'No' }], 'shard'],
    [[{ ...one, sql: 'x'.repeat(2_001) }], 'sql'],
    [[{ ...one, name: '<b>' }], 'name'],
    [[{ ...one, role: 'postgres' }], ''],
    [[one, one], ''],
  ])('are refused where they are not understood: %#', (assertions, field) => {
    const { error } = assertionsSchema.safeParse(assertions);
    expect(error?.issues[0]?.path.at(-1) ?? '').toEqual(field === '' ? expect.anything() : field);
  });

  it('expect a value as PostgreSQL writes it, and numbers as numbers', () => {
    expect(unmet({ value: 1.5 }, [['1.50']])).toBeUndefined();
    expect(unmet({ value: 0 }, [['']])).toContain('""');
    expect(unmet({ value: '1' }, [['1.0']])).toContain('"1.0"');
    expect(unmet('true', [['t'], ['t']])).toContain('more');
    expect(unmet('no-rows', [['x'.repeat(500)]])?.length).toBeLessThan(300);
  });
});

describe('the proof that an object is the one that was verified', () => {
  const sha256 = 'ab'.repeat(32);
  const object = { versionId: 'v1', storedBytes: 5, sha256 };
  const head = { VersionId: 'v1', ContentLength: 5 };
  const checksum = Buffer.from(sha256, 'hex').toString('base64');

  it('is its version and size, and its checksum where S3 keeps one of the whole', () => {
    expect(differenceOf(head, object)).toBeUndefined();
    expect(differenceOf({ ...head, ChecksumSHA256: checksum }, object)).toBeUndefined();
    expect(differenceOf({ ...head, ChecksumSHA256: `${checksum}-3` }, object)).toBeUndefined();
    expect(differenceOf({ ...head, VersionId: 'v2' }, object)).toContain('version');
    expect(differenceOf({ ...head, ContentLength: 6 }, object)).toContain('size');
    expect(differenceOf({ ...head, ChecksumSHA256: 'x' }, object)).toContain('SHA-256');
  });
});

describe('the id of a drill', () => {
  it('is that of its execution, or made of the name that a schedule gives', () => {
    expect(drillIdOf('01K9Z6D4X8G2C0E5J7K9N3P6QR')).toBe('01K9Z6D4X8G2C0E5J7K9N3P6QR');
    const made = drillIdOf('0f2c-11_9a');
    expect(drillIdSchema.parse(made)).toBe(drillIdOf('0f2c-11_9a'));
    expect(made).not.toBe(drillIdOf('0f2c-11_9b'));
    expect(Buffer.byteLength(scratchName(drillIdSchema.parse('X'.repeat(40))))).toBeLessThanOrEqual(63);
  });
});

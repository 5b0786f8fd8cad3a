import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { HandRestore } from '../e2e/support/hand-restore.ts';
import { macMessage } from '../e2e/support/restore-by-hand.ts';
import { missingTools, pageBlocks, provideEncryptionCli, runBlocks } from '../e2e/support/restore-page.ts';

jest.setTimeout(300_000);

const missing = await missingTools();
/** Where the page's tools are not installed, the test's name says which are missing, and it counts as skipped. */
const itWithTools = missing.length === 0 ? it : it.skip;
const without = missing.length === 0 ? '' : ` (skipped: no ${missing.join(', ')})`;

describe('the page on restoring without Mainstay', () => {
  let hand: HandRestore;

  beforeAll(async () => {
    hand = await HandRestore.open();
  });
  afterAll(() => hand?.close());

  itWithTools(`reads a backup by its commands${without}`, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'mainstay-page-'));
    try {
      const programs = join(directory, 'bin');
      await mkdir(programs);
      await provideEncryptionCli(programs);
      const block = await pageBlocks();
      const printed = await runBlocks(
        directory,
        [
          ...['manifest', 'mac', 'read'].map(block),
          // Two tables instead of all: each object costs the start of several programs.
          `jq '.tables |= map(select(.name | IN("täble ✓ ; drop", "no_columns")))
             | [.tables[].oid] as $oids | .chunks |= map(select(.rows.range.oid | IN($oids[])))' shard.json > few.json`,
          'mv few.json shard.json',
          ...['schema', 'list', 'database', 'pre-data', 'rows', 'compare', 'finish', 'versions'].map(block),
        ].join('\n'),
        { ...process.env, ...hand.environment, PATH: `${programs}:${process.env.PATH}` },
      );
      expect(printed).toContain('"MacValid": true');
      expect(printed).toContain('schema and sequences are here');
      expect(printed).toContain('tables are here');
      expect(printed).toContain('2 of 2 chunks are loaded');
      expect(printed).not.toContain('DIFFERENT');
      expect(printed).toContain('2 tables are compared');
      expect(printed).toMatch(/^restored$/m);
      const stored = await readFile(join(directory, 'manifest.json'), 'utf8');
      expect(await readFile(join(directory, 'message'), 'utf8')).toBe(macMessage(stored));
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });

  itWithTools(`has commands that refuse an object that is another${without}`, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'mainstay-page-'));
    try {
      await provideEncryptionCli(directory);
      const block = await pageBlocks();
      const attempts = ['.', '.sha256 = "0" * 64', '.context["mainstay:kind"] = "post-data"'].map(
        (change, n) => `jq '.preData | ${change}' shard.json | fetch changed.sql && echo 'accepted ${n}'`,
      );
      const printed = await runBlocks(
        directory,
        [block('manifest'), block('read'), ...attempts, 'true'].join('\n'),
        {
          ...process.env,
          ...hand.environment,
          PATH: `${directory}:${process.env.PATH}`,
        },
      );
      expect(printed.match(/accepted \d/g)).toEqual(['accepted 0']);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});

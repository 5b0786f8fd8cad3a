import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { systemClock } from '../../functions/recovery/clock.ts';
import { backupIdSchema } from '../../functions/recovery/ids.ts';
import { ensureEscrow } from '../../functions/recovery/keys/ensure-escrow.ts';
import { encodingOf } from '../../functions/recovery/manifest/encoding.ts';
import { macMessage } from '../../functions/recovery/manifest/manifest.ts';
import { ManifestStore } from '../../functions/recovery/manifest/manifest-store.ts';
import { newId } from '../../functions/shared/ids.ts';
import { pageBlocks } from '../e2e/support/restore-page.ts';
import { type Regions, startRegions } from '../functions/recovery/keys/support.ts';

jest.setTimeout(120_000);

/** With a ligature, which NFKC takes apart. */
const passphrase = 'correct horse battery ﬁsh staple';
const content = 'hello\tworld\n'.repeat(200_000);
const context = { 'mainstay:backup': 'b', 'mainstay:table': 'public.t = "x" é' };
const root = join(import.meta.dirname, '../..');

describe('the page’s program for a backup whose keys are lost', () => {
  let regions: Regions;
  let directory: string;

  beforeAll(async () => {
    regions = await startRegions();
    directory = await mkdtemp(join(tmpdir(), 'mainstay-escrow-'));
    const { store, seal, bucket, kms, keys } = regions;
    const read = async () => passphrase.normalize('NFKC');
    await ensureEscrow({ store, seal, read, clock: systemClock });
    const object = await regions.put('backups/b/rows', content, regions.sealedKeys(), context);
    const escrow = { keys: regions.sealedKeys(), reads: 'kms' as const };
    const stored = await new ManifestStore(bucket, kms, keys.mac, escrow).write({
      format: 'mainstay.backup',
      formatVersion: 1,
      backupId: backupIdSchema.parse(newId()),
      type: 'import',
      createdAt: '2026-11-21T00:00:00.000Z',
      committedAt: '2026-11-21T00:00:01.000Z',
      encoding: encodingOf(keys.encryption),
      tools: {},
      shards: [],
      import: {
        name: 'dump',
        format: 'other',
        packing: 'none',
        sha256: createHash('sha256').update(content).digest('hex'),
        sizeBytes: content.length,
        segments: [object],
        segmentSha256: [createHash('sha256').update(content).digest('hex')],
      },
      skewMs: 0,
      totals: { objects: 1, rows: 0, plainBytes: content.length, storedBytes: object.storedBytes },
    });
    await put('manifest.json', (await bucket.readText(stored))?.text ?? '');
    await put('message', macMessage(stored.manifest));
    const answer = await bucket.open(object);
    await put('rows.stored', (await answer?.Body?.transformToByteArray()) ?? '');
    const block = (await pageBlocks())('passphrase');
    await put('escrow.mjs', /<<'EOF'\n(.*?)^EOF$/ms.exec(block)?.[1] ?? '');
    await symlink(join(root, 'node_modules'), join(directory, 'node_modules'));
  });
  afterAll(async () => {
    await regions?.close();
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  });

  const put = (name: string, bytes: string | Uint8Array) => writeFile(join(directory, name), bytes);

  /** @returns what it printed, and whether it ended well. */
  const run = (typed: string, ...args: string[]) =>
    new Promise<{ good: boolean; printed: string }>((resolve) => {
      const env = { ...process.env, NODE_OPTIONS: '' };
      const child = execFile(
        process.execPath,
        ['escrow.mjs', ...args],
        { cwd: directory, env },
        (error, stdout, stderr) => resolve({ good: error === null, printed: `${stdout}${stderr}` }),
      );
      child.stdin?.end(typed);
    });
  const pairs = (of: Record<string, string>) => Object.entries(of).map(([name, value]) => `${name}=${value}`);

  it('does nothing with another passphrase', async () => {
    const { printed } = await run('not the passphrase at all', 'unlock');
    expect(printed).toMatch(/^another passphrase: [0-9a-f]{32}\n$/);
    expect((await run('', 'decrypt', 'rows.stored', 'rows.packed', ...pairs(context))).good).toBe(false);
  });

  it('authenticates the manifest, and not when it was changed', async () => {
    const message = await readFile(join(directory, 'message'));
    await put('message', Buffer.concat([message.subarray(0, -1), Buffer.from('x')]));
    expect(await run(passphrase, 'unlock')).toMatchObject({
      good: false,
      printed: expect.stringContaining('WRONG MAC'),
    });
    await put('message', message);
    expect(await run(`${passphrase}\n`, 'unlock')).toMatchObject({
      good: true,
      printed: expect.stringMatching(/^opened: [0-9a-f]{32}\nMacValid\n$/),
    });
  });

  it('opens what was stored, and only as what it should be', async () => {
    expect(await run('', 'decrypt', 'rows.stored', 'rows.packed', ...pairs(context))).toMatchObject({
      good: true,
    });
    const packed = await readFile(join(directory, 'rows.packed'));
    expect(zstdDecompressSync(packed).toString('utf8')).toBe(content);
    const other = { ...context, 'mainstay:backup': 'c' };
    expect(await run('', 'decrypt', 'rows.stored', 'other.packed', ...pairs(other))).toMatchObject({
      good: false,
      printed: expect.stringContaining('about something else'),
    });
  });
});

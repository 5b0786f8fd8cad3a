import { createHash, randomBytes } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { DisableKeyCommand, EnableKeyCommand } from '@aws-sdk/client-kms';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ulid } from 'ulid';
import { systemClock } from '../../../../functions/recovery/clock.ts';
import { operationIdSchema } from '../../../../functions/recovery/ids.ts';
import { chooseSource } from '../../../../functions/recovery/single-stages/choose-source.ts';
import type { Source, StageWork } from '../../../../functions/recovery/single-stages/events.ts';
import { runStage } from '../../../../functions/recovery/single-stages/run-stage.ts';
import { startStage } from '../../../../functions/recovery/single-stages/start-stage.ts';
import { traceparent } from '../support/run-backup.ts';
import { type Aws, startAwsWorld } from '../support/world.ts';
import { Executions, ImportRun } from './support/import-run.ts';

let world: Aws;
beforeAll(async () => {
  world = await startAwsWorld();
});
afterAll(() => world?.close());

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const rows = Buffer.alloc(300_000, 'one row after the other\n');

async function put(content: Buffer, name = 'shop.dump'): Promise<string> {
  const key = `scratch/${ulid()}/${name}`;
  await world.s3.send(new PutObjectCommand({ Bucket: world.bucket.name, Key: key, Body: content }));
  return key;
}

async function contentOf(key: string): Promise<Buffer> {
  const answer = await world.bucket.open({ key, versionId: null });
  return Buffer.from((await answer?.Body?.transformToByteArray()) ?? []);
}

async function run(stage: StageWork, source: Source, remainingMs = 600_000) {
  const id = operationIdSchema.parse(ulid());
  const { catalog, operations, manifests, bucket, kms, verifyPlace } = world;
  const stepFunctions = new Executions().client;
  const starting = {
    catalog,
    operations,
    stepFunctions,
    stageStateMachineArn: 'arn:stage',
    clock: systemClock,
  };
  await startStage(starting, { id, source, stage, requestedBy: 'test', traceparent });
  const deps = {
    catalog,
    operations,
    manifests,
    bucket,
    kms,
    keyArn: verifyPlace.keyArn,
    clock: systemClock,
  };
  await runStage({ ...deps, remainingMs: () => remainingMs }, id, `arn:test:${id}`, {
    traceparent,
    source,
    stage,
  });
  const record = await operations.get(id);
  return { id, record, result: record?.result, checked: await operations.checked(id) };
}

const latest = (key: string) => ({ key, versionId: null });

describe('a single stage', () => {
  it('encrypts, and decrypts to what it was, with a sum beside each', async () => {
    const content = randomBytes(2_500_000);
    const key = await put(content);
    const encrypted = await run({ kind: 'encrypt' }, latest(key));
    expect(encrypted.result).toMatchObject({
      objectKey: `scratch/${encrypted.id}/shop.dump.enc`,
      sourceBytes: content.length,
    });
    const message = encrypted.result?.objectKey ?? '';
    expect((await contentOf(message)).includes(content.subarray(0, 64))).toBe(false);
    const decrypted = await run({ kind: 'decrypt' }, latest(message));
    expect(decrypted.result).toMatchObject({
      objectKey: `scratch/${decrypted.id}/shop.dump`,
      sha256: sha256(content),
    });
    expect((await contentOf(decrypted.result?.objectKey ?? '')).equals(content)).toBe(true);
    expect((await contentOf(decrypted.result?.sha256Key ?? '')).toString()).toBe(
      `${sha256(content)}  shop.dump\n`,
    );
  });

  it('compresses to what other tools read, and tells the ratio', async () => {
    const { result } = await run({ kind: 'compress', format: 'gzip', level: 6 }, latest(await put(rows)));
    expect(gunzipSync(await contentOf(result?.objectKey ?? '')).equals(rows)).toBe(true);
    expect(result?.ratio).toBeGreaterThan(20);
  });

  it('compares an object with the file beside it, and says which of them is wrong', async () => {
    const { result } = await run({ kind: 'compress', format: 'zstd', level: 3 }, latest(await put(rows)));
    const key = result?.objectKey ?? '';
    expect((await run({ kind: 'verify-hash' }, latest(key))).checked).toMatchObject({
      objects: 1,
      findings: [],
    });
    await world.bucket.writeText(`${key}.sha256`, `${'0'.repeat(64)}  ${key.split('/').at(-1)}\n`);
    expect((await run({ kind: 'verify-hash' }, latest(key))).checked.findings).toMatchObject([
      { object: key, problem: 'hash-mismatch' },
    ]);
    const alone = await put(rows);
    expect((await run({ kind: 'verify-hash' }, latest(alone))).checked.findings).toMatchObject([
      { object: alone, problem: 'missing' },
    ]);
  });

  it('decrypts an object of a backup, if it is the one that was stored', async () => {
    const backup = new ImportRun(world);
    const { manifest } = await backup.complete(rows);
    const [segment] = manifest.manifest.import?.segments ?? [];
    const source = { backupId: backup.id, object: segment?.key ?? '' };
    const { result } = await run({ kind: 'decrypt' }, source);
    expect(result?.objectKey).toMatch(/part\.zst$/);
    const unknown = { backupId: backup.id, object: `backups/${backup.id}/other` };
    await expect(run({ kind: 'decrypt' }, unknown)).rejects.toThrow('has no object');
    await world.flipBit(segment ?? latest(''));
    await expect(run({ kind: 'decrypt' }, source)).rejects.toThrow(segment?.key);
  });

  it('says what is wrong: no message, no object, a disabled key, too little time', async () => {
    const key = await put(rows);
    await expect(run({ kind: 'decrypt' }, latest(key))).rejects.toThrow('cannot be decrypted');
    await expect(run({ kind: 'encrypt' }, latest(`${key}.other`))).rejects.toThrow('There is no');
    await expect(run({ kind: 'compress', format: 'zstd', level: 3 }, latest(key), 0)).rejects.toThrow(
      'longer than a function may run',
    );
    const { result } = await run({ kind: 'encrypt' }, latest(key));
    await world.kms.send(new DisableKeyCommand({ KeyId: world.verifyPlace.keyArn }));
    await expect(run({ kind: 'decrypt' }, latest(result?.objectKey ?? ''))).rejects.toThrow(/KMS.*disabled/i);
    await world.kms.send(new EnableKeyCommand({ KeyId: world.verifyPlace.keyArn }));
  });
});

describe('what a single stage is asked to read', () => {
  it.each([
    ['body.key', {}],
    ['body.key', { key: 'backups/x/manifest.json' }],
    ['body.key', { key: 'work/x/plan.json' }],
    ['body.key', { key: 'scratch/../backups/x' }],
    ['body.key', { key: 'scratch/a/./b' }],
    ['body.key', { key: 'scratch//a' }],
    ['body.key', { key: 'scratch/' }],
    ['body.key', { key: '/scratch/a' }],
    ['body.key', { key: 'scratch/a/..' }],
    ['body.object', { backupId: 'x', object: 'scratch/a' }],
    ['body.object', { backupId: 'x', object: 'backups/../uploads/a' }],
    ['body.object', { backupId: 'x' }],
    ['body.backupId', { backupId: '../x', object: 'backups/x/a' }],
    ['body.backupId', { key: 'scratch/a/b', backupId: 'x' }],
    ['body.versionId', { versionId: 'v', backupId: 'x', object: 'backups/x/a' }],
  ])('is refused by the name of the field: %s of %j', (field, body) => {
    expect(() => chooseSource(body)).toThrow(expect.objectContaining({ kind: 'unprocessable-request' }));
    try {
      chooseSource(body);
    } catch (error) {
      expect(error).toMatchObject({ errors: [{ field }] });
    }
  });

  it('never leads out of uploads/ and scratch/, whatever is asked for', () => {
    const part = fc.constantFrom(
      '..',
      '.',
      '',
      'a',
      'b.dump',
      'uploads',
      'scratch',
      'backups',
      '%2e%2e',
      '\\',
      'a\n',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
        const key = parts.join('/');
        try {
          chooseSource({ key });
        } catch {
          return;
        }
        expect(new URL(key, 'https://x/').pathname).toBe(`/${key}`);
        expect(key).toMatch(/^(uploads|scratch)\/[^\n]+$/);
      }),
    );
  });
});

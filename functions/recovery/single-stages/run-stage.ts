import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { KeyringNode } from '@aws-crypto/material-management-node';
import type { KMSClient } from '@aws-sdk/client-kms';
import { DependencyError } from '../../shared/dependency.ts';
import { NamedError } from '../../shared/named-error.ts';
import type { OperationCatalog } from '../catalog/operation-catalog.ts';
import { type Clock, isoTime } from '../clock.ts';
import { BackupNotRunningError, DamagedObjectError, ObjectTooLargeError } from '../errors.ts';
import type { OperationId } from '../ids.ts';
import { scratchExpiry } from '../import/scratch-expiry.ts';
import type { Finding } from '../model.ts';
import { scratchPrefix } from '../objects/object-keys.ts';
import { upload } from '../objects/upload.ts';
import { compressStage } from '../stages/compress.ts';
import { decryptStage, encryptStage, kmsKeyring } from '../stages/encrypt.ts';
import { HashStage } from '../stages/hash.ts';
import type { Stage } from '../stages/stage.ts';
import type { StageInput, StageWork } from './events.ts';
import type { StageResult } from './model.ts';
import { type OpenSource, openSource, type SourceDependencies } from './open-source.ts';

export interface RunStageDependencies extends SourceDependencies {
  readonly operations: OperationCatalog;
  readonly kms: KMSClient;
  readonly keyArn: string;
  readonly clock: Clock;
  /** Milliseconds until this invocation ends. */
  readonly remainingMs: () => number;
}

const endMs = 20_000;
/** How often the progress is noted, in bytes. */
const noteBytes = 256 * 1024 * 1024;

/**
 * Runs one stage over one object. Doing it again makes the same result anew, as another version.
 *
 * @throws BackupNotRunningError when the operation was canceled; DamagedObjectError, ObjectTooLargeError,
 * DependencyError.
 */
export async function runStage(
  deps: RunStageDependencies,
  operationId: OperationId,
  executionArn: string,
  { source, stage }: StageInput,
): Promise<void> {
  const { operations, clock } = deps;
  if (!(await operations.start(operationId, executionArn, 1))) {
    throw new BackupNotRunningError(`Operation ${operationId} was canceled before it began.`);
  }
  const begun = clock.now();
  const opened = await openSource(deps, source);
  const content = Readable.from(watched(deps, operationId, opened), { highWaterMark: 2 });
  const note = (findings: Finding[]) =>
    operations.note(operationId, 'stage', { objects: 1, storedBytes: opened.bytes, findings });
  if (stage.kind === 'verify-hash') {
    const key = 'key' in source ? source.key : source.object;
    await note(await compareSum(deps, key, opened.name, content));
    await operations.end(operationId, 'completed', { finishedAt: isoTime(clock.now()) });
    return;
  }
  const result = await transform(deps, operationId, stage, { ...opened, content });
  const finishedAt = isoTime(clock.now());
  await note([]);
  await operations.end(operationId, 'completed', {
    finishedAt,
    result: { ...result, durationMs: clock.now() - begun },
  });
}

/** The stages that make something. */
type Transforming = Exclude<StageWork, { kind: 'verify-hash' }>;

/** The source's pieces; notes how far it is, and gives up in time to say so. */
async function* watched(
  { operations, remainingMs }: RunStageDependencies,
  id: OperationId,
  { content, bytes, name }: OpenSource,
): AsyncGenerator<Buffer> {
  let read = 0;
  let noted = 0;
  for await (const piece of content) {
    read += piece.length;
    yield piece;
    if (remainingMs() < endMs) {
      throw new ObjectTooLargeError(
        `${name} takes longer than a function may run: ${read} of ${bytes} bytes.`,
      );
    }
    if (read - noted < noteBytes) continue;
    noted = read;
    await operations.note(id, 'stage', { objects: 0, storedBytes: read, findings: [] });
  }
}

async function transform(
  { bucket, kms, keyArn, clock }: RunStageDependencies,
  id: OperationId,
  stage: Transforming,
  source: OpenSource,
): Promise<Omit<StageResult, 'durationMs'>> {
  let keyError: unknown;
  const keyring = kmsKeyring(kms, keyArn, (error) => {
    keyError = error;
  });
  const name = resultName(stage, source.name);
  const objectKey = `${scratchPrefix(id)}${name}`;
  const hash = new HashStage();
  let versionId: string | null = null;
  const work = stageOf(stage, keyring, { id, context: source.context });
  try {
    await pipeline(source.content, work, hash, async (pieces: AsyncIterable<Buffer>) => {
      const target = { bucket: bucket.name, key: objectKey, contentType: 'application/octet-stream' };
      versionId = await upload(bucket.s3, target, Readable.from(pieces));
    });
  } catch (error) {
    throw explain(stage, source.name, error, keyError);
  }
  const sizeBytes = hash.measure.bytesOut;
  const sha256Key = `${objectKey}.sha256`;
  await bucket.writeText(sha256Key, `${hash.sha256}  ${name}\n`, 'text/plain');
  return {
    objectKey,
    versionId,
    sizeBytes,
    sha256: hash.sha256,
    sha256Key,
    sourceBytes: source.bytes,
    ratio: sizeBytes === 0 ? null : Number((source.bytes / sizeBytes).toFixed(3)),
    expiresAt: isoTime(scratchExpiry(clock.now())),
  };
}

const suffixes = { zstd: 'zst', gzip: 'gz' } as const;

function resultName(stage: Transforming, name: string): string {
  if (stage.kind === 'encrypt') return `${name}.enc`;
  if (stage.kind === 'compress') return `${name}.${suffixes[stage.format]}`;
  return name.endsWith('.enc') ? name.slice(0, -'.enc'.length) : `${name}.decrypted`;
}

function stageOf(
  stage: Transforming,
  keyring: KeyringNode,
  { id, context }: { id: OperationId; context: OpenSource['context'] },
): Stage {
  if (stage.kind === 'compress') return compressStage({ format: stage.format, level: stage.level });
  if (stage.kind === 'encrypt') return encryptStage(keyring, { 'mainstay:operation': id });
  return decryptStage(keyring, context);
}

/** What KMS said says more than that the Encryption SDK could not; and a message that is none is the object's fault. */
function explain(stage: Transforming, name: string, error: unknown, keyError: unknown): unknown {
  if (keyError !== undefined) {
    const message = keyError instanceof Error ? `${keyError.name}: ${keyError.message}` : String(keyError);
    return new DependencyError(`KMS did not complete Decrypt: ${message}`, { cause: keyError });
  }
  if (stage.kind !== 'decrypt' || error instanceof NamedError) return error;
  const detail = error instanceof Error ? error.message : String(error);
  return new DamagedObjectError(`${name} cannot be decrypted: ${detail}`);
}

/** Compares an object with the `.sha256` file beside it. */
async function compareSum(
  { bucket }: Pick<RunStageDependencies, 'bucket'>,
  key: string,
  name: string,
  content: Readable,
): Promise<Finding[]> {
  const finding = (problem: Finding['problem'], detail: string): Finding[] => [
    { object: key, versionId: null, problem, detail, shard: null, relation: null },
  ];
  const sums = await bucket.readText({ key: `${key}.sha256`, versionId: null });
  const line = sums?.text.split('\n').map((text) => /^([0-9a-f]{64}) [ *](.+)$/.exec(text));
  const expected = line?.find((found) => found?.[2] === name)?.[1];
  if (expected === undefined) {
    return finding('missing', `There is no ${name}.sha256 beside it that names it.`);
  }
  const hash = createHash('sha256');
  for await (const piece of content) hash.update(piece);
  const sha256 = hash.digest('hex');
  if (sha256 === expected) return [];
  return finding('hash-mismatch', `Its SHA-256 is ${sha256}; ${expected} is in the file beside it.`);
}

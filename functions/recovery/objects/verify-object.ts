import { pipeline } from 'node:stream/promises';
import type { KMSClient } from '@aws-sdk/client-kms';
import { IncorrectKeyException, InvalidCiphertextException, NotFoundException } from '@aws-sdk/client-kms';
import { DependencyError } from '../../shared/dependency.ts';
import { RowDigest } from '../digest.ts';
import { EscrowError } from '../errors.ts';
import { shardNameSchema } from '../ids.ts';
import type { Finding } from '../model.ts';
import { qualifiedName } from '../snapshot/sql.ts';
import { decompressStage } from '../stages/compress.ts';
import { decryptStage, kmsKeyring, type Opener, WrongContextError } from '../stages/encrypt.ts';
import type { StoredObject } from '../workflow.ts';
import type { Bucket } from './bucket.ts';
import { checkBytes, type IntactObject, isProblem } from './read-object.ts';

export interface VerifyPlace {
  readonly bucket: Bucket;
  readonly kms: KMSClient;
  readonly keyArn: string;
  /** What opens messages; default: this key of KMS. */
  readonly opener?: Opener;
}

export interface VerifiedObject {
  /** What is wrong; nothing when the object is as it was stored. */
  readonly problem?: Pick<Finding, 'problem' | 'detail'>;
  /** Of an object of rows that could be read. */
  readonly digest?: string;
}

/** KMS's answers that are about the message; all others are about KMS. */
const aboutTheMessage = [InvalidCiphertextException, IncorrectKeyException, NotFoundException];

/**
 * Reads an object back as whoever restores it would: bytes and hash, then (mode `full`) decryption with the expected
 * context, decompression, length, rows and their digest.
 *
 * @throws DependencyError when S3 or KMS does not answer; never for what is wrong with the object.
 */
export async function verifyObject(
  place: VerifyPlace,
  object: StoredObject,
  mode: 'full' | 'hash',
): Promise<VerifiedObject> {
  const bytes = await checkBytes(place.bucket, object);
  if (isProblem(bytes)) return { problem: bytes };
  if (mode === 'hash') return {};
  try {
    return await readContent(place, object, bytes);
  } catch (error) {
    if (!(error instanceof EscrowError)) throw error;
    return { problem: { problem: 'not-decryptable', detail: error.message } };
  }
}

/**
 * Reads the content of an object and passes it on piece by piece. Bytes and hash are compared first; whether the content
 * is as it should be is known only when all of it has been passed on.
 *
 * @param take is waited for; what it throws is thrown.
 * @throws DependencyError when S3 or KMS does not answer, EscrowError when the object is to be opened by a wrapping key
 *   that cannot be had; never for what is wrong with the object.
 */
export async function readVerified(
  place: VerifyPlace,
  object: StoredObject,
  take: (piece: Buffer) => Promise<void> | void,
): Promise<VerifiedObject> {
  const bytes = await checkBytes(place.bucket, object);
  return isProblem(bytes) ? { problem: bytes } : readContent(place, object, bytes, take);
}

async function readContent(
  place: VerifyPlace,
  object: StoredObject,
  bytes: IntactObject,
  take: (piece: Buffer) => Promise<void> | void = () => {},
): Promise<VerifiedObject> {
  let refusal: { readonly error: unknown } | undefined;
  let keyError: unknown;
  const open = place.opener ?? ((onFailure) => kmsKeyring(place.kms, place.keyArn, onFailure));
  const keyring = open((error) => {
    keyError = error;
  });
  const decrypt = decryptStage(keyring, object.context);
  const decompress = decompressStage(object.compression);
  const rows = object.rows === undefined ? undefined : new RowDigest();
  let plainBytes = 0;
  try {
    await pipeline(await bytes.open(), decrypt, decompress, async (pieces: AsyncIterable<Buffer>) => {
      for await (const piece of pieces) {
        plainBytes += piece.length;
        rows?.update(piece);
        try {
          await take(piece);
        } catch (error) {
          refusal = { error };
          throw error;
        }
      }
    });
  } catch (error) {
    if (refusal !== undefined) throw refusal.error;
    if (error instanceof DependencyError || error instanceof EscrowError) throw error;
    return { problem: whyUnreadable(error, keyError) };
  }
  const problem = contentProblem(object, plainBytes, rows);
  if (problem !== undefined) return { problem };
  return rows === undefined ? {} : { digest: rows.digest };
}

/**
 * What is wrong with an object that could not be decrypted or decompressed.
 * @param keyError what KMS answered, where it did not open the data key.
 * @throws DependencyError when that is KMS's own trouble.
 */
export function whyUnreadable(error: unknown, keyError: unknown): NonNullable<VerifiedObject['problem']> {
  const detail = error instanceof Error ? error.message : String(error);
  if (error instanceof WrongContextError) return { problem: 'wrong-context', detail };
  if (keyError !== undefined) {
    if (!aboutTheMessage.some((kind) => keyError instanceof kind)) {
      const message = keyError instanceof Error ? `${keyError.name}: ${keyError.message}` : String(keyError);
      throw new DependencyError(`KMS did not complete Decrypt: ${message}`, { cause: keyError });
    }
    return { problem: 'not-decryptable', detail: 'KMS says that the data key is not one of this key.' };
  }
  if (error instanceof Error && 'code' in error && /^(Z_|ZSTD_|ERR_ZLIB)/.test(String(error.code))) {
    return { problem: 'not-decompressible', detail };
  }
  return { problem: 'not-decryptable', detail };
}

function contentProblem(
  object: StoredObject,
  plainBytes: number,
  rows: RowDigest | undefined,
): VerifiedObject['problem'] {
  if (plainBytes !== object.plainBytes) {
    return {
      problem: 'not-decompressible',
      detail: `${plainBytes} bytes came out; ${object.plainBytes} went in.`,
    };
  }
  if (rows === undefined || object.rows === undefined) return undefined;
  if (rows.rows !== object.rows.count || !rows.complete) {
    return { problem: 'row-count', detail: `It holds ${rows.rows} rows; ${object.rows.count} were copied.` };
  }
  if (object.rows.digest !== undefined && object.rows.digest !== rows.digest) {
    return { problem: 'digest', detail: 'Its rows are not the ones that were copied.' };
  }
  return undefined;
}

/** The finding that an object's problem is reported as. */
export function findingOf(object: StoredObject, problem: Pick<Finding, 'problem' | 'detail'>): Finding {
  const shard = object.context['mainstay:shard'];
  return {
    object: object.key,
    versionId: object.versionId,
    ...problem,
    shard: shardOf(shard),
    relation: object.rows === undefined ? null : qualifiedName(object.rows.range),
  };
}

function shardOf(name: string | undefined): Finding['shard'] {
  return shardNameSchema.safeParse(name).data ?? null;
}

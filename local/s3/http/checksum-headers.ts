import { type ChecksumAlgorithm, checksumLength, isChecksumAlgorithm } from '../checksums/digests.ts';
import { invalidArgument, invalidRequest, notEmulated, S3Error } from '../errors.ts';
import type { Checksum } from '../model.ts';
import type { S3Call } from './call.ts';

/** What a client says about the bytes it sends. */
export interface DeclaredChecksums {
  /** MD5 from `Content-MD5`. */
  md5?: Buffer;
  /** The algorithm of `x-amz-checksum-*`, as a header or to come in a trailer. */
  algorithm?: ChecksumAlgorithm;
  /** Its value in base64, where it came as a header. */
  value?: string;
}

const prefix = 'x-amz-checksum-';
const notAlgorithms = new Set(['x-amz-checksum-algorithm', 'x-amz-checksum-type', 'x-amz-checksum-mode']);

/**
 * Reads what the headers say of a body's checksums.
 *
 * @throws `InvalidRequest`, `InvalidDigest` (400), `NotEmulated` for algorithms that are not there.
 */
export function readDeclaredChecksums(call: S3Call): DeclaredChecksums {
  const declared: DeclaredChecksums = {};
  const contentMd5 = call.header('content-md5');
  if (contentMd5 !== undefined) {
    const md5 = Buffer.from(contentMd5, 'base64');
    if (md5.length !== 16 || md5.toString('base64') !== contentMd5.trim()) {
      throw new S3Error('InvalidDigest', 'The Content-MD5 you specified was invalid.', 400, {
        'Content-MD5': contentMd5,
      });
    }
    declared.md5 = md5;
  }
  const headers = Object.keys(call.request.headers).filter(
    (name) => name.startsWith(prefix) && !notAlgorithms.has(name),
  );
  const trailers = (call.header('x-amz-trailer') ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name.startsWith(prefix));
  const names = [...headers, ...trailers];
  const [name] = names;
  if (names.length > 1) {
    throw invalidRequest(
      'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
    );
  }
  const announced = call.header('x-amz-sdk-checksum-algorithm');
  if (name === undefined) {
    if (announced === undefined) return declared;
    throw invalidRequest(
      'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
    );
  }
  declared.algorithm = algorithmOf(name.slice(prefix.length));
  if (announced !== undefined && announced.toUpperCase() !== declared.algorithm) {
    throw invalidRequest('Value for x-amz-sdk-checksum-algorithm header is invalid.');
  }
  const value = headers.length > 0 ? call.header(name) : undefined;
  if (value !== undefined) declared.value = checkedValue(declared.algorithm, value);
  return declared;
}

/** The value the client gave, once the body has ended. @throws `InvalidRequest` for a missing trailer. */
export function declaredValue(call: S3Call, declared: DeclaredChecksums): string | undefined {
  if (declared.algorithm === undefined || declared.value !== undefined) return declared.value;
  const name = `${prefix}${declared.algorithm.toLowerCase()}`;
  const value = call.request.trailers()[name];
  if (value === undefined) {
    throw new S3Error(
      'MalformedTrailerError',
      'The request contained trailing data that was not well-formed',
      400,
      {
        MissingTrailer: name,
      },
    );
  }
  return checkedValue(declared.algorithm, value.trim());
}

/** The algorithm and type an upload in parts is created with, and whether the client chose them. */
export function readUploadChecksum(call: S3Call): {
  checksum: { algorithm: ChecksumAlgorithm; type: Checksum['type'] };
  chosen: boolean;
} {
  const name = call.header('x-amz-checksum-algorithm');
  const type = call.header('x-amz-checksum-type')?.toUpperCase();
  if (type !== undefined && type !== 'COMPOSITE' && type !== 'FULL_OBJECT') {
    throw invalidRequest('Value for x-amz-checksum-type header is invalid.');
  }
  if (name === undefined) {
    if (type !== undefined) {
      throw invalidRequest(
        'The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.',
      );
    }
    return { checksum: { algorithm: 'CRC64NVME', type: 'FULL_OBJECT' }, chosen: false };
  }
  const algorithm = algorithmOf(name);
  const isCrc = algorithm.startsWith('CRC');
  const chosenType = type ?? (algorithm === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE');
  if ((chosenType === 'FULL_OBJECT' && !isCrc) || (chosenType === 'COMPOSITE' && algorithm === 'CRC64NVME')) {
    throw invalidRequest(
      `The ${chosenType} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`,
    );
  }
  return { checksum: { algorithm, type: chosenType }, chosen: true };
}

/** An algorithm by its name in any case. */
export function algorithmOf(name: string): ChecksumAlgorithm {
  const upper = name.toUpperCase();
  if (isChecksumAlgorithm(upper)) return upper;
  if (/^XXHASH/.test(upper)) throw notEmulated(`checksum algorithm ${upper}`);
  throw invalidArgument(
    'Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]',
  );
}

function checkedValue(algorithm: ChecksumAlgorithm, value: string): string {
  const bytes = Buffer.from(value, 'base64');
  if (bytes.length !== checksumLength[algorithm] || bytes.toString('base64') !== value) {
    throw invalidRequest(`Value for ${prefix}${algorithm.toLowerCase()} header is invalid.`);
  }
  return value;
}

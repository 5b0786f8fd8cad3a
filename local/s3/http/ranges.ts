import { invalidRequest, S3Error } from '../errors.ts';
import type { Checksum, StoredVersion } from '../model.ts';
import type { S3Call } from './call.ts';
import { readInteger } from './integers.ts';

/** Which bytes are answered, both ends included; an empty object has its end before its start. */
export interface ChosenRange {
  kind: 'whole' | 'range' | 'part';
  start: number;
  end: number;
  /** Of the part, where one was asked for. */
  checksum?: Checksum;
}

/**
 * The bytes that `Range` or `partNumber` ask for.
 *
 * @throws `InvalidRange`, `InvalidPartNumber` (416) for what the object does not have.
 */
export function chooseRange(call: S3Call, version: StoredVersion): ChosenRange {
  const number = readInteger(call.query('partNumber'), {
    name: 'partNumber',
    minimum: 1,
    maximum: 10_000,
    message: 'Part number must be an integer between 1 and 10000, inclusive',
  });
  const header = call.header('range');
  if (number !== undefined) {
    if (header !== undefined)
      throw invalidRequest('Cannot specify both Range header and partNumber query parameter');
    return partRange(version, number);
  }
  return header === undefined ? whole(version) : parseRange(header, version);
}

/** Reads a `Range` header. What is not one range of bytes is ignored, as S3 does. */
export function parseRange(header: string, version: Pick<StoredVersion, 'size'>): ChosenRange {
  const [match, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header.trim()) ?? [];
  if (match === undefined || (first === '' && last === '')) return whole(version);
  const { size } = version;
  if (first !== '' && last !== '' && Number(last) < Number(first)) return whole(version);
  const start = first === '' ? Math.max(size - Number(last), 0) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (start >= size || start > end) {
    throw new S3Error(
      'InvalidRange',
      'The requested range is not satisfiable',
      416,
      { RangeRequested: header, ActualObjectSize: size },
      { 'content-range': `bytes */${size}` },
    );
  }
  return { kind: 'range', start, end };
}

function whole({ size }: Pick<StoredVersion, 'size'>): ChosenRange {
  return { kind: 'whole', start: 0, end: size - 1 };
}

function partRange(version: StoredVersion, number: number): ChosenRange {
  const parts = version.attributes.parts;
  let start = 0;
  // Parts count from one in the order they have in the object, whatever their upload called them.
  for (const [index, part] of (parts ?? [{ size: version.size, checksum: undefined }]).entries()) {
    if (index + 1 === number) {
      if (part.size === 0) return whole(version);
      return {
        kind: 'part',
        start,
        end: start + part.size - 1,
        ...(part.checksum && { checksum: part.checksum }),
      };
    }
    start += part.size;
  }
  throw new S3Error('InvalidPartNumber', 'The requested partnumber is not satisfiable', 416, {
    PartNumberRequested: number,
    ActualPartCount: parts?.length ?? 1,
  });
}

import { EscrowError } from '../errors.ts';
import type { Bucket } from '../objects/bucket.ts';
import { type EscrowRecord, escrowPrefix, escrowRecordSchema, fingerprintSchema } from './escrow-model.ts';

const currentKey = `${escrowPrefix}current.json`;
const recordKey = (fingerprint: string): string =>
  `${escrowPrefix}${fingerprintSchema.parse(fingerprint)}.json`;

/** Records of wrapping keys: one for each, which stays, and a copy of the one that new messages are wrapped by. */
export class EscrowStore {
  readonly #bucket: Bucket;

  constructor(bucket: Bucket) {
    this.#bucket = bucket;
  }

  /** Nothing while there is no passphrase. */
  current(): Promise<EscrowRecord | undefined> {
    return this.#read(currentKey);
  }

  /** @throws EscrowError when the record is another's, DependencyError. */
  async get(fingerprint: string): Promise<EscrowRecord | undefined> {
    const key = recordKey(fingerprint);
    const record = await this.#read(key);
    if (record !== undefined && record.fingerprint !== fingerprint) {
      throw new EscrowError(`${key} is the record of another wrapping key.`);
    }
    return record;
  }

  /** Keeps a record, and has new messages wrapped by its key. Its own copy is there before anything is wrapped by it. */
  async make(record: EscrowRecord): Promise<void> {
    const text = JSON.stringify(record);
    await this.#bucket.create(recordKey(record.fingerprint), text);
    await this.#bucket.writeText(currentKey, text);
  }

  async #read(key: string): Promise<EscrowRecord | undefined> {
    const stored = await this.#bucket.readText({ key, versionId: null });
    return stored && parseRecord(key, stored.text);
  }
}

function parseRecord(key: string, text: string): EscrowRecord {
  try {
    return escrowRecordSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new EscrowError(`${key} is not the record of a wrapping key.`, { cause: error });
  }
}

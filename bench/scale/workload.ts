/** What is backed up, and how fast its parts are. */
export interface Workload {
  readonly shards: number;
  /** Heap and TOAST of all shards together, in bytes; even over the shards. */
  readonly databaseBytes: number;
  /** Of them in one chunk (`backup.chunkTargetMiB`), in bytes. */
  readonly chunkBytes: number;
  /** Bytes of COPY text for each byte of heap. */
  readonly textRatio: number;
  /** Bytes of COPY text for each stored byte. */
  readonly compression: number;
  /** COPY text that one function copies, compresses, encrypts, hashes and stores, in bytes a second. */
  readonly copyRate: number;
  /** COPY text that one function reads back, in bytes a second. */
  readonly verifyRate: number;
  /** COPY text that the instance of a shard sends to all functions together, in bytes a second. */
  readonly shardRate: number;
  /** What an invocation takes beside its work: connection, import of the snapshot, the first answer of KMS, in ms. */
  readonly overheadMs: number;
  /** Bytes of one part of an upload. */
  readonly partBytes: number;
}

const mib = 1024 * 1024;

/** Ten terabytes over 64 shards. The rates are those of docs/benchmarks.md, less a fifth. */
export const tenTerabytes: Workload = {
  shards: 64,
  databaseBytes: 10e12,
  chunkBytes: 256 * mib,
  textRatio: 0.85,
  compression: 3,
  copyRate: 95e6,
  verifyRate: 150e6,
  shardRate: 1e9,
  overheadMs: 400,
  partBytes: 8 * mib,
};

/** Work items of one shard. */
export const chunksOf = ({ databaseBytes, shards, chunkBytes }: Workload): number =>
  Math.max(1, Math.ceil(databaseBytes / shards / chunkBytes));

/** COPY text of one chunk, in bytes. */
export const textOfChunk = (work: Workload): number =>
  (work.databaseBytes / work.shards / chunksOf(work)) * work.textRatio;

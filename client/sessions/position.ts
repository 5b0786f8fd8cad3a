import { ShardError } from '../errors.ts';

/** What a shard's log had come to, under which epoch. */
export interface Position {
  readonly shard: string;
  readonly epoch: number;
  readonly log: bigint;
}

/** A position as text, for a cookie or a header. */
export function positionText({ shard, epoch, log }: Position): string {
  return `${shard}:${epoch}:${log.toString(16)}`;
}

/** @throws ShardError `invalid-position` */
export function positionOf(text: string): Position {
  const [, shard, epoch, log] = /^([a-z][a-z0-9-]{0,30}):(\d{1,15}):([0-9a-f]{1,16})$/.exec(text) ?? [];
  if (shard === undefined || epoch === undefined || log === undefined) {
    throw new ShardError('invalid-position', 'The position is none that `writer.position()` gives.');
  }
  return { shard, epoch: Number(epoch), log: BigInt(`0x${log}`) };
}

/** A place in the log as PostgreSQL writes it (`0/16B3748`), or as Aurora does, a number. */
export function logPosition(text: string): bigint {
  const [high = '0', low] = text.split('/');
  return low === undefined ? BigInt(high) : (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`);
}

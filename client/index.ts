export type { ReadPreference, WriteDurability } from '../functions/shards/sharding.ts';
export { ShardError, type ShardErrorCode } from './errors.ts';
export type { Durability } from './instances/connection.ts';
export type { ClientRoute, Key, KeyOf } from './map/directory.ts';
export type { Login, PasswordOf, ShardClientOptions } from './options.ts';
export type { ShardReads } from './sessions/reader.ts';
export type { Isolation, Result, Session } from './sessions/session.ts';
export type { ShardWriter, TransactionOptions } from './sessions/writer.ts';
export { type ReadOptions, ShardClient } from './shard-client.ts';

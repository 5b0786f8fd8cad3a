import { afterAll, beforeAll } from '@jest/globals';
import type pg from 'pg';
import { connectTo } from './databases.ts';
import { sharedPlatform } from './shared-platform.ts';

/**
 * Files that share the runtime run one at a time, however many workers there are: backups of a shard exclude each
 * other, and faults strike whoever comes along. The lock goes with its connection, so also with its process.
 */
const lock = 'SELECT pg_advisory_lock(2026112003)';
let holder: pg.Client | undefined;

beforeAll(async () => {
  holder = await connectTo(await sharedPlatform(), 'shard-a');
  await holder.query(lock);
}, 900_000);

afterAll(() => holder?.end());

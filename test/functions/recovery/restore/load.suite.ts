import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { finishTarget } from '../../../../functions/recovery/restore/engine/finish-target.ts';
import { loadObjects } from '../../../../functions/recovery/restore/engine/load-objects.ts';
import type { StoredObject } from '../../../../functions/recovery/workflow.ts';
import { Restores, type Restoring } from './support/restores.ts';

const rows = 20_000;
let restores: Restores;
let backup: Restoring & { name: string };

beforeAll(async () => {
  restores = await Restores.start();
  backup = await restores.backUp(`
    CREATE TABLE t (id int, body text);
    INSERT INTO t SELECT n, repeat(md5(n::text), 5) FROM generate_series(1, ${rows}) n;
    CREATE FUNCTION slow(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
      $$ BEGIN PERFORM pg_sleep(2); RETURN $1; END $$;
    CREATE TABLE one (body text); CREATE INDEX takes_long ON one (slow(body)); INSERT INTO one VALUES ('x');`);
});

afterAll(async () => {
  await restores?.close();
});

const chunksOf = ({ shard }: Restoring): StoredObject[] =>
  shard.chunks.filter((object) => object.rows?.range.name === 't');

const load = ({ work }: Restoring, objects: StoredObject[], connect = restores.deps.connect) =>
  loadObjects({ ...restores.deps, connect }, work.database, work.plan.tables, { item: 0, objects });

const countIn = async ({ work }: Restoring): Promise<unknown> =>
  (
    await restores.query(work.database, 'SELECT count(*)::int AS n, count(DISTINCT id)::int AS ids FROM t')
  )[0];

async function prepared(): Promise<Restoring> {
  const restoring = restores.again(backup);
  await restores.prepare(restoring.work);
  return restoring;
}

describe('loading rows', () => {
  it('leaves no row of an object that a bit was flipped in, and names object and table', async () => {
    const restoring = await prepared();
    const [first, second] = chunksOf(restoring);
    if (first === undefined || second === undefined) throw new Error('There are too few chunks');
    await restores.world.flipBit(second);
    await expect(load(restoring, [first, second])).rejects.toMatchObject({
      name: 'DamagedObjectError',
      message: expect.stringMatching(new RegExp(`${second.key}.*"public"\\."t".*hash-mismatch`)),
    });
    expect(await countIn(restoring)).toEqual({ n: first.rows?.count, ids: first.rows?.count });
    await restores.world.flipBit(second);
    await load(restoring, [first, second]);
    const both = (first.rows?.count ?? 0) + (second.rows?.count ?? 0);
    expect(await countIn(restoring)).toEqual({ n: both, ids: both });
  });

  it('leaves no row of an object whose rows are other ones than were copied', async () => {
    const restoring = await prepared();
    const [chunk] = chunksOf(restoring);
    if (chunk?.rows === undefined) throw new Error('There are no chunks');
    const others = [
      { ...chunk, rows: { ...chunk.rows, count: chunk.rows.count + 1 } },
      { ...chunk, rows: { ...chunk.rows, digest: '0'.repeat(64) } },
      { ...chunk, plainBytes: chunk.plainBytes - 1 },
      { ...chunk, context: { ...chunk.context, 'mainstay:table': 'public.other' } },
    ];
    for (const other of others) {
      await expect(load(restoring, [other])).rejects.toMatchObject({ name: 'DamagedObjectError' });
    }
    expect(await countIn(restoring)).toEqual({ n: 0, ids: 0 });
  });

  it('loads each row once when the same is asked for twice at the same time', async () => {
    const restoring = await prepared();
    const objects = chunksOf(restoring);
    const results = await Promise.all([load(restoring, objects), load(restoring, [...objects].reverse())]);
    expect(results.map((result) => result.rows)).toEqual([rows, rows]);
    expect(await countIn(restoring)).toEqual({ n: rows, ids: rows });
  });

  it('loads each row once when it was cut off in the middle', async () => {
    const restoring = await prepared();
    const objects = chunksOf(restoring);
    let connections = 0;
    const broken = async (database: string) => {
      const client = await restores.deps.connect(database);
      connections++;
      const { stream } = client.connection;
      const { write } = stream;
      let sent = 0;
      // Breaks in the rows of the second object.
      Object.defineProperty(stream, 'write', {
        value: (data: Uint8Array, ...rest: unknown[]): unknown => {
          sent += data.length;
          if (sent > 400 * 1024) stream.destroy();
          return Reflect.apply(write, stream, [data, ...rest]);
        },
      });
      return client;
    };
    await expect(load(restoring, objects, broken)).rejects.toThrow();
    expect(connections).toBe(1);
    expect((await load(restoring, objects)).rows).toBe(rows);
    expect(await countIn(restoring)).toEqual({ n: rows, ids: rows });
  });
});

describe('a statement that takes longer than its function has', () => {
  it('goes on in the server, is waited for, and is done once', async () => {
    const restoring = await prepared();
    const { work } = restoring;
    await restores.load(restoring);
    const cutOff = { ...restores.deps, deadline: Date.now() + 1_000 };
    expect(await finishTarget(cutOff, work)).toEqual({ outcome: 'again' });
    expect(await finishTarget({ ...restores.deps, deadline: Date.now() }, work)).toEqual({
      outcome: 'again',
    });
    expect(await finishTarget(restores.deps, work)).toEqual({ outcome: 'done', leftOut: [] });
    const built = await restores.query(
      work.database,
      `SELECT count(*)::int AS n FROM pg_index WHERE indrelid = 'one'::regclass AND indisvalid`,
    );
    expect(built).toEqual([{ n: 1 }]);
  });
});

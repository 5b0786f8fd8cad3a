import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { finishTarget } from '../../functions/recovery/restore/engine/finish-target.ts';
import { Restores } from '../functions/recovery/restore/support/restores.ts';
import { fleetSchema, shopSchema } from '../functions/recovery/restore/support/schemas.ts';

jest.setTimeout(120_000);

let restores: Restores;

beforeAll(async () => {
  restores = await Restores.start();
});

afterAll(async () => {
  await restores?.close();
});

describe('a restored database', () => {
  it('has the same DDL and the same rows: a shop', async () => {
    const backup = await restores.backUp(shopSchema);
    expect(await restores.complete(backup)).toEqual([]);
    expect(await restores.differences(backup)).toEqual([]);
    expect(await restores.ddl(backup.work.database)).toBe(await restores.ddl(backup.name));
  });

  it('is the same when every step is done again: a fleet', async () => {
    const backup = await restores.backUp(fleetSchema);
    const { work } = backup;
    await restores.prepare(work);
    await restores.prepare(work);
    await restores.load(backup);
    await restores.load(backup);
    await finishTarget(restores.deps, work);
    await restores.complete(backup);
    expect(await restores.prepare(work)).toEqual({ outcome: 'done', leftOut: [] });
    expect(await finishTarget(restores.deps, work)).toEqual({ outcome: 'done', leftOut: [] });
    expect(await restores.differences(backup)).toEqual([]);
    expect(await restores.ddl(work.database)).toBe(await restores.ddl(backup.name));
  });
});

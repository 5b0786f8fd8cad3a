import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Restores } from '../functions/recovery/restore/support/restores.ts';
import { shopSchema } from '../functions/recovery/restore/support/schemas.ts';

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
});

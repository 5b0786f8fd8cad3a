import { describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import { mainstay, synthesizeUnchecked } from './support.ts';

const settings = z.looseObject({ shards: z.array(z.unknown()) }).parse(mainstay.environments.local);
const withShards = (names: string[]) =>
  synthesizeUnchecked('local', { ...settings, shards: names.map((name) => ({ name })) });

describe('A shard that is added', () => {
  const two = synthesizeUnchecked('local');
  const three = withShards(['shard-a', 'shard-b', 'shard-c']);

  it('changes no property and no logical id of what the others have', () => {
    const [before, after] = [two.stateful.resources, three.stateful.resources];
    const changed = Object.keys(before).filter(
      (id) => JSON.stringify(before[id]) !== JSON.stringify(after[id]),
    );
    // The settings of the deployment, as they are kept for backups.
    expect(changed.filter((id) => !id.startsWith('Configuration'))).toEqual([]);
    const added = Object.keys(after).filter((id) => !(id in before));
    expect(added.length).toBeGreaterThan(0);
    expect(added.filter((id) => !id.includes('hardshardc'))).toEqual([]);
  });

  it('takes no resource of any other stack away', () => {
    for (const name of ['Platform', 'Databases']) {
      const [before, after] = [two.stack(name).resources, three.stack(name).resources];
      expect(Object.keys(before).filter((id) => after[id]?.Type !== before[id]?.Type)).toEqual([]);
    }
  });

  it('is the same wherever it is listed', () => {
    const moved = withShards(['shard-c', 'shard-b', 'shard-a']).stateful.resources;
    const changed = Object.keys(moved).filter(
      (id) => JSON.stringify(moved[id]) !== JSON.stringify(three.stateful.resources[id]),
    );
    expect(changed.filter((id) => !id.startsWith('Configuration'))).toEqual([]);
  });
});

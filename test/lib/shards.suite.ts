import { describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import { mainstay, ofType, synthesizeUnchecked } from './support.ts';

const settings = z.looseObject({ shards: z.array(z.unknown()) }).parse(mainstay.environments.local);
/** What shards have besides a name. */
const own: Record<string, object> = { 'shard-c': { instanceClass: 'db.r8g.2xlarge', readers: 2 } };
const withShards = (names: string[]) =>
  synthesizeUnchecked('local', { ...settings, shards: names.map((name) => ({ name, ...own[name] })) });

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

  it('has the size and the readers that it asks for, whatever the others have', () => {
    const of = (type: string, shard: string) =>
      ofType(three.stateful, type).flatMap(([id, { Properties }]) =>
        id.includes(shard) ? [Properties] : [],
      );
    expect(
      of('AWS::RDS::DBInstance', 'hardshardc').map((each) => [each.DBInstanceClass, each.PromotionTier]),
    ).toEqual([
      ['db.r8g.2xlarge', 0],
      ['db.r8g.2xlarge', 1],
      ['db.r8g.2xlarge', 2],
    ]);
    expect(of('AWS::RDS::DBCluster', 'hardshardc')).toMatchObject([{ DatabaseInsightsMode: 'standard' }]);
    expect(of('AWS::RDS::DBCluster', 'hardshardc')[0]).not.toHaveProperty('ServerlessV2ScalingConfiguration');
    expect(of('AWS::RDS::DBInstance', 'hardsharda').map((each) => each.DBInstanceClass)).toEqual([
      'db.serverless',
      'db.serverless',
    ]);
  });

  it('is the same wherever it is listed', () => {
    const moved = withShards(['shard-c', 'shard-b', 'shard-a']).stateful.resources;
    const changed = Object.keys(moved).filter(
      (id) => JSON.stringify(moved[id]) !== JSON.stringify(three.stateful.resources[id]),
    );
    expect(changed.filter((id) => !id.startsWith('Configuration'))).toEqual([]);
  });

  it('is on the dashboard, with what looks at it have found and what Aurora says', () => {
    const bodies = ofType(three.platform, 'AWS::CloudWatch::Dashboard').map(([, { Properties }]) =>
      JSON.stringify(Properties),
    );
    for (const name of ['InstancesUnhealthy', 'SlowQueries', 'WraparoundPercent', 'VolumeBytesUsed']) {
      expect(bodies).toEqual([expect.stringMatching(new RegExp(`${name}[^]{1,300}shard-c`))]);
    }
  });
});

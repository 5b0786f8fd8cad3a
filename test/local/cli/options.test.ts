import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import { parseOptions } from '../../../local/cli/options.ts';
import { contextWithShards } from '../../../local/runtime/shard-count.ts';

describe('the command line of npm start', () => {
  it('has defaults for everything', () => {
    expect(parseOptions([])).toEqual({
      fresh: false,
      logs: false,
      help: false,
      port: 4580,
      awsPort: 4566,
      edgePort: 4590,
      state: '.mainstay',
      environment: 'local',
      context: {},
    });
  });

  it('takes context like the CDK CLI', () => {
    expect(parseOptions(['-c', 'a=1', '--context', 'b=x=y']).context).toEqual({ a: '1', b: 'x=y' });
  });

  it.each([
    [['--port', '70000'], '--port takes a port'],
    [['--port', 'x'], '--port takes a port'],
    [['--aws-port', '-1'], '--aws-port'],
    [['-c', 'nothing'], '--context takes key=value'],
    [['--frsh'], '--frsh'],
  ])('refuses %j and says why', (args, message) => {
    expect(() => parseOptions(args)).toThrow(message);
  });

  it('give the environment as many shards as were asked for, those of cdk.json first', async () => {
    const root = join(import.meta.dirname, '../../..');
    const { shards } = parseOptions(['--shards', '3']);
    const named = z.object({
      mainstay: z.object({ environments: z.object({ local: z.object({ shards: z.array(z.unknown()) }) }) }),
    });
    const of = async (count: number) =>
      named.parse(await contextWithShards(root, 'local', count)).mainstay.environments.local.shards;
    expect(await of(shards ?? 0)).toEqual(['shard-a', 'shard-b', 'shard-c'].map((name) => ({ name })));
    expect(await of(1)).toEqual([{ name: 'shard-a' }]);
    expect(() => parseOptions(['--shards', '9'])).toThrow('from 1 to 8');
  });
});

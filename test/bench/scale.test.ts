import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { requestsOf } from '../../bench/scale/requests.ts';
import { simulate } from '../../bench/scale/simulate.ts';
import { VirtualClock } from '../../bench/scale/virtual-clock.ts';
import { chunksOf, tenTerabytes } from '../../bench/scale/workload.ts';
import { sleep } from '../../local/scheduler/clock.ts';
import { readDefinition } from '../../local/step-functions/validate.ts';

const never = new AbortController().signal;

describe('The clock that does not wait', () => {
  it('lets everybody go on at their time, in order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(1_000_000_000), { minLength: 1, maxLength: 50 }), async (delays) => {
        const clock = new VirtualClock();
        const woken: number[] = [];
        const all = delays.map(async (delay) => {
          await sleep(clock, delay, never);
          woken.push(clock.now());
        });
        await clock.run(Promise.all(all));
        expect(woken).toEqual([...delays].sort((a, b) => a - b));
      }),
      { numRuns: 30 },
    );
  });

  it('says so when nobody waits for it', async () => {
    const { promise } = Promise.withResolvers<void>();
    await expect(new VirtualClock().run(promise)).rejects.toThrow('nobody for the clock');
  });
});

const task = (next: object) => ({
  Type: 'Task',
  Resource: 'arn:aws:states:::lambda:invoke',
  Parameters: { FunctionName: 'name', 'Payload.$': '$' },
  OutputPath: '$.Payload',
  ...next,
});
const machine = readDefinition(
  JSON.stringify({
    StartAt: 'Plan',
    States: {
      Plan: task({ Next: 'Shards' }),
      Shards: {
        Type: 'Map',
        ItemsPath: '$.shards',
        MaxConcurrency: 2,
        ItemProcessor: {
          ProcessorConfig: { Mode: 'INLINE' },
          StartAt: 'Chunks',
          States: {
            Chunks: {
              Type: 'Map',
              Label: 'Chunks',
              MaxConcurrency: 3,
              ItemReader: {
                Resource: 'arn:aws:states:::s3:getObject',
                ReaderConfig: { InputType: 'JSON' },
                Parameters: { Bucket: 'backups', Key: 'plan.json' },
              },
              ItemProcessor: {
                ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
                StartAt: 'ChunkPipeline',
                States: { ChunkPipeline: task({ End: true }) },
              },
              End: true,
            },
          },
        },
        End: true,
      },
    },
  }),
);

describe('A simulated backup', () => {
  const work = { ...tenTerabytes, shards: 4, databaseBytes: 40e9, shardRate: 1e12 };

  it('copies every chunk once, never more at a time than the definition says', async () => {
    const simulated = await simulate(machine, work, { holdTermSeconds: 600 });
    expect(simulated.children).toBe(4 * chunksOf(work));
    expect(simulated.invocations).toBe(1 + simulated.children);
    expect(simulated.mostFunctions).toBe(6);
  });

  it('takes as long as its text takes at that rate, by six functions', async () => {
    const { durationMs, children } = await simulate(machine, work, { holdTermSeconds: 600 });
    const copyMs = ((work.databaseBytes * work.textRatio) / work.copyRate) * 1000;
    const least = (copyMs + children * work.overheadMs) / 6;
    expect(durationMs).toBeGreaterThanOrEqual(least);
    expect(durationMs).toBeLessThan(least * 1.1);
  });

  it('stores what the compression leaves, and pays for more requests when parts are smaller', async () => {
    const simulated = await simulate(machine, work, { holdTermSeconds: 600 });
    const large = requestsOf(work, simulated);
    const small = requestsOf({ ...work, partBytes: work.partBytes / 8 }, simulated);
    expect(large.storedBytes).toBeCloseTo((work.databaseBytes * work.textRatio) / work.compression, -3);
    expect(small.puts).toBeGreaterThan(4 * large.puts);
    expect(small.dollars).toBeGreaterThan(large.dollars);
  });
});

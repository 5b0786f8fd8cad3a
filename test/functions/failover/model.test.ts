import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { World } from './support/world.ts';

const instance = fc.nat({ max: 2 });
const seconds = fc.integer({ min: 1, max: 120 });

const which = fc.nat({ max: 2 });
const plain = <K extends string>(kind: K, weight: number) => ({
  weight,
  arbitrary: fc.record({ kind: fc.constant(kind) }),
});

/** Everything that may happen to a shard and to what looks after it. */
const event = fc.oneof(
  plain('write', 1),
  plain('replicate', 2),
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('probe' as const), after: seconds }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('alarm' as const), twice: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('watchdog' as const), twice: fc.boolean() }) },
  plain('slow', 3),
  plain('go-on', 2),
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('step' as const), which }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('zombie' as const), which }) },
  plain('strike', 3),
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('down' as const), instance }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('up' as const), instance }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('cut' as const),
      instance,
      from: fc.constantFrom('probe', 'functions', 'both'),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('mend' as const), instance }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('kill' as const), after: fc.nat({ max: 3 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('jump' as const),
      seconds: fc.integer({ min: -3_600, max: 3_600 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('ask' as const),
      what: fc.constantFrom('failover' as const, 'switchover' as const),
      loss: fc.constantFrom(undefined, 'any' as const),
    }),
  },
);
type Event = typeof event extends fc.Arbitrary<infer E> ? E : never;

async function happen(world: World, what: Event): Promise<void> {
  const one = 'instance' in what ? world.instances[what.instance] : undefined;
  switch (what.kind) {
    case 'write':
      return world.write();
    case 'replicate':
      return world.replicate();
    case 'probe':
      world.now += what.after * 1000;
      return world.runProbe();
    case 'alarm':
      await Promise.all([world.alarm(), ...(what.twice ? [world.alarm()] : [])]);
      return;
    case 'watchdog':
      await Promise.all([world.watchdog(), ...(what.twice ? [world.alarm()] : [])]);
      return;
    case 'step':
      return world.step(what.which);
    case 'slow':
      return world.slowAlarm();
    case 'go-on':
      return world.goOn();
    case 'zombie':
      return world.zombie(what.which);
    case 'strike':
      if (world.writer !== undefined) world.writer.up = false;
      return;
    case 'down':
      if (one !== undefined) one.up = false;
      return;
    case 'up':
      if (one !== undefined) one.up = true;
      return;
    case 'cut':
      if (one === undefined) return;
      if (what.from !== 'functions') one.probed = false;
      if (what.from !== 'probe') one.reachable = false;
      return;
    case 'mend':
      if (one !== undefined) Object.assign(one, { probed: true, reachable: true });
      return;
    case 'kill':
      world.killAfter = what.after;
      return;
    case 'jump':
      world.now += what.seconds * 1000;
      return;
    case 'ask':
      return world.ask(what.what, what.loss);
    default:
      what satisfies never;
  }
}

/** The network is mended, nobody is killed any more, the clock is right, and everything has its turn for an hour. */
async function settle(world: World, latest: number): Promise<void> {
  world.killAfter = undefined;
  await world.goOn();
  world.now = Math.max(world.now, latest);
  for (const one of world.instances) Object.assign(one, { probed: true, reachable: true });
  for (let minute = 0; minute < 60; minute++) {
    for (let half = 0; half < 2; half++) {
      world.now += 30_000;
      world.write();
      world.replicate();
      world.runProbe();
    }
    await world.watchdog();
    for (let step = 0; step < 12; step++) await world.step(step);
    world.check();
  }
}

describe('failover of a shard, whatever happens', () => {
  it('never has two writers of one epoch nor two operations, and is not stuck in the end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(event, { minLength: 20, maxLength: 60 }), async (events) => {
        const world = new World(3);
        world.runProbe();
        await world.watchdog();
        let latest = world.now;
        for (const each of events) {
          await happen(world, each);
          world.write();
          world.check();
          latest = Math.max(latest, world.now);
        }
        await settle(world, latest);
        expect(world.problems).toEqual([]);
        const state = world.record?.state ?? 'healthy';
        expect(['healthy', 'failed_over', 'held']).toContain(state);
        const { writer } = world;
        const serving = writer?.up === true && writer.primary && !writer.readOnly;
        if (state === 'healthy') expect(serving).toBe(true);
        // Whoever else has come back takes no writes, where there is a writer.
        const open = world.instances.filter(({ up, primary, readOnly }) => up && primary && !readOnly);
        if (serving) expect(open).toEqual([writer]);
        expect(world.executions.filter(({ status }) => status === 'running')).toEqual([]);
      }),
      { numRuns: 80 },
    );
  });

  it('lets no execution go on that was given up, and goes on by another', async () => {
    const world = new World(3);
    const [writer, first, second] = world.instances;
    if (writer === undefined || first === undefined || second === undefined) throw new Error('no instances');
    world.runProbe();
    await world.watchdog();
    writer.up = false;
    await world.ask('failover', 'any');
    expect(world.executions.map(({ input }) => input.operation.target.instance)).toEqual(['i2']);
    first.up = false;
    for (let step = 0; step < 4; step++) await world.step(0);
    await world.watchdog();
    await world.watchdog();
    expect(world.executions.map(({ name, status }) => [name, status])).toEqual([
      ['main-2', 'failed'],
      ['main-2-2', 'running'],
    ]);
    // The first comes to life while the second works, and once more after it.
    first.up = true;
    await world.zombie(0);
    for (let step = 0; step < 4; step++) await world.step(0);
    await world.zombie(0);
    expect(first.primary).toBe(false);
    expect(world.shard).toMatchObject({ epoch: 2, writer: { port: second.port } });
    expect(world.record).toMatchObject({ state: 'failed_over', last: { target: 'i3' } });
  });

  it('replaces a dead writer by what has lost least, once, however many alarms come', async () => {
    const world = new World(3);
    world.write();
    world.replicate();
    world.runProbe();
    await world.watchdog();
    const [writer, first, second] = world.instances;
    if (writer === undefined || first === undefined || second === undefined) throw new Error('no instances');
    first.log -= 5;
    writer.up = false;
    for (let probe = 0; probe < 3; probe++) {
      world.now += 30_000;
      world.runProbe();
    }
    await Promise.all([world.alarm(), world.alarm(), world.watchdog()]);
    expect(world.executions.map(({ name }) => name)).toEqual(['main-2']);
    for (let step = 0; step < 4; step++) await world.step(0);
    expect(world.record).toMatchObject({
      state: 'failed_over',
      last: { target: 'i3', result: 'completed', rpoBytes: 0 },
    });
    expect(world.shard).toMatchObject({ epoch: 2, writer: { port: 3 } });
    // It comes back, takes writes, and is fenced.
    writer.up = true;
    world.now += 30_000;
    world.runProbe();
    expect(world.probe?.otherWriters).toEqual(['i1']);
    await world.watchdog();
    expect(writer.readOnly).toBe(true);
  });
});

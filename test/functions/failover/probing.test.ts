import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { RDSClient } from '@aws-sdk/client-rds';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { keepInstances, refreshInstances } from '../../../functions/failover/discovery/refresh-instances.ts';
import type { DatabaseInstance, ProbeRecord } from '../../../functions/failover/model.ts';
import { type Answer, type Ask, asker } from '../../../functions/failover/probing/ask.ts';
import type { InstanceFound, Progress } from '../../../functions/failover/probing/ask-instance.ts';
import type { Beat } from '../../../functions/failover/probing/ask-writer.ts';
import { isCutOff } from '../../../functions/failover/probing/cut-off.ts';
import type { Identity } from '../../../functions/failover/probing/identify.ts';
import { judge } from '../../../functions/failover/probing/judge.ts';
import type { Findings } from '../../../functions/failover/probing/look-at-shard.ts';
import { ProbeRounds } from '../../../functions/failover/probing/probe-rounds.ts';
import { ProbeStore } from '../../../functions/failover/probing/probe-store.ts';
import { runSlots, slotsOf } from '../../../functions/failover/probing/slots.ts';
import { connect } from '../../../functions/shared/database.ts';
import type { Shard } from '../../../functions/shared/shards.ts';
import { startDynamo } from '../shared/dynamodb.ts';

const minute = Date.parse('2026-11-21T12:00:00Z');
const at = (seconds: number) => new Date(minute + seconds * 1000);

const instance = (id: string, role: DatabaseInstance['role'] = 'reader'): DatabaseInstance => ({
  id,
  role,
  host: `${id}.example`,
  port: 5432,
  status: 'available',
});
const identity = (id: string, but: Partial<Identity> = {}): Identity => ({
  started: `start of ${id}`,
  replica: false,
  readOnly: false,
  aurora: false,
  ...but,
});
const said = <T>(value: T): Answer<T> => ({ heard: true, value, durationMs: 12 });
const refused = { heard: true, reason: 'connect: refused', durationMs: 1 };
const silent = { heard: false, reason: 'connect: no answer within 5000 ms', durationMs: 5000 };
const beat = (id: string, lsn: string | undefined = '0/3000000'): Answer<Beat> =>
  said({ identity: identity(id), at: minute, ...(lsn !== undefined && { lsn }) });
const reading = (id: string, progress: Partial<Progress> = {}, but: Partial<Identity> = {}) => ({
  instance: instance(id),
  answer: said<InstanceFound>({
    identity: identity(id, { replica: true, ...but }),
    progress: { streaming: true, receivedLsn: '0/3000000', replayedLsn: '0/3000000', ...progress },
  }),
});
const writing = (id: string, but: Partial<Identity> = {}) => ({
  instance: instance(id, 'writer'),
  answer: said<InstanceFound>({ identity: identity(id, but) }),
});
const mute = (id: string, answer: Answer<InstanceFound> = silent) => ({ instance: instance(id), answer });

describe('the slots of a minute', () => {
  it('are each taken once in a minute, on the clock, wherever in it the invocation comes', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(10, 15, 20, 30, 60),
        fc.array(fc.integer({ min: 0, max: 59_999 }), { minLength: 1, maxLength: 20 }),
        (interval, offsets) => {
          const taken = offsets.flatMap((offset, index) => {
            const now = minute + index * 60_000 + offset;
            const { due, missed } = slotsOf(now, interval);
            expect(due.length + missed).toBe(60 / interval);
            // The first has begun, and the others are to come.
            expect(due[0]).toBeLessThanOrEqual(now);
            expect(now - (due[0] ?? 0)).toBeLessThan(interval * 1000);
            return due;
          });
          expect(new Set(taken).size).toBe(taken.length);
          for (const slot of taken) expect(slot % (interval * 1000)).toBe(0);
        },
      ),
    );
  });

  it('are waited for by the clock, whatever a round takes, and a round that fails stops none', async () => {
    let now = minute + 7_000;
    const waits: number[] = [];
    const started: number[] = [];
    const clock = {
      now: () => now,
      until: async (time: number) => {
        waits.push(time);
        now = Math.max(now, time);
      },
    };
    const ends: (() => void)[] = [];
    const running = runSlots(slotsOf(now, 10), clock, async (slot) => {
      started.push(slot);
      if (started.length === 2) throw new Error('the second');
      await new Promise<void>((resolve) => ends.push(resolve));
    });
    while (ends.length < 5) await new Promise(setImmediate);
    expect(started).toEqual([0, 10, 20, 30, 40, 50].map((seconds) => minute + seconds * 1000));
    expect(waits).toEqual(started);
    for (const end of ends) end();
    await expect(running).rejects.toThrow('the second');
  });
});

describe('what is made of a look at a shard', () => {
  const look = (findings: Findings, previous?: ProbeRecord, cutOff = false, seconds = 0, epoch = 1) =>
    judge({ shard: 'a', epoch, at: at(seconds), findings, cutOff, previous });
  const well: Findings = { writer: beat('a-1'), instances: [writing('a-1'), reading('a-2')] };
  const down: Findings = { writer: refused, instances: [mute('a-1', refused), reading('a-2')] };

  it('remembers the writer’s instance while nobody says, and no longer than the epoch', () => {
    const before = look(well);
    expect(before).toMatchObject({ epoch: 1, writerInstance: 'a-1' });
    const mute: Findings = { writer: beat('b-1'), instances: [reading('a-2')] };
    expect(look(mute, before)).toMatchObject({ ok: true, writerInstance: 'a-1' });
    expect(look(mute, before, false, 0, 2)).not.toHaveProperty('writerInstance');
  });

  it('counts failures in a row from the first, and forgets them when the writer answers', () => {
    const records: ProbeRecord[] = [];
    for (const findings of [down, down, well, down]) {
      records.push(look(findings, records.at(-1), false, records.length * 30));
    }
    expect(records.map(({ consecutiveFailures }) => consecutiveFailures)).toEqual([1, 2, 0, 1]);
    expect(records.map(({ firstFailureAt }) => firstFailureAt)).toEqual([
      at(0).toISOString(),
      at(0).toISOString(),
      undefined,
      at(90).toISOString(),
    ]);
    expect(records.at(-1)?.changes).toEqual([at(60).toISOString(), at(90).toISOString()]);
    expect(records[0]).toMatchObject({ ok: false, reason: 'connect: refused', cutOff: false });
    expect(records[2]).toMatchObject({
      ok: true,
      latencyMs: 12,
      writerLsn: '0/3000000',
      writerInstance: 'a-1',
    });
  });

  it('counts nothing while the probe is cut off', () => {
    const nothing: Findings = { writer: silent, instances: [mute('a-1'), mute('a-2')] };
    const failing = look(down, look(well));
    const cut = look(nothing, failing, true, 30);
    expect(cut).toMatchObject({ ok: false, cutOff: true, consecutiveFailures: 1 });
    expect(cut.firstFailureAt).toBe(failing.firstFailureAt);
    expect(look(down, cut, false, 60)).toMatchObject({ consecutiveFailures: 2, changes: failing.changes });
    expect(look(nothing, look(well), true)).toMatchObject({ consecutiveFailures: 0, changes: [] });
  });

  it('measures how far readers are behind what the writer is last known to have written', () => {
    const lagging = reading('a-2', {
      receivedLsn: '0/2FFF000',
      replayedLsn: '0/2FFE000',
      sinceReplay: 41.25,
    });
    const [reader] = look({ writer: beat('a-1'), instances: [writing('a-1'), lagging] }).readers;
    expect(reader).toMatchObject({ instance: 'a-2', lagBytes: 0x1000, lagSeconds: 41.25, streaming: true });
    const prompt = reading('a-2', { caughtUpSeconds: 0.1204 });
    expect(look({ writer: beat('a-1'), instances: [prompt] }).readers[0]).toMatchObject({
      lagBytes: 0,
      lagSeconds: 0.12,
    });
    // The writer is gone: what it wrote last is known.
    const before = look(well);
    expect(look({ writer: refused, instances: [lagging] }, before).readers[0]).toMatchObject({
      lagBytes: 0x1000,
    });
    const complete = reading('a-2', { streaming: false, sinceReplay: 3600 });
    expect(look({ writer: refused, instances: [complete] }, before, false, 30).readers[0]).toMatchObject({
      lagBytes: 0,
      lagSeconds: 0,
      streaming: false,
      streamedAt: at(0).toISOString(),
    });
    // Nobody has ever said what the writer wrote.
    expect(look({ writer: refused, instances: [lagging] }).readers[0]).not.toHaveProperty('lagBytes');
    const aurora = reading('a-2', { engineLagSeconds: 0.02 }, { aurora: true });
    expect(look({ writer: beat('a-1', undefined), instances: [aurora] }).readers[0]).toMatchObject({
      lagBytes: 0,
      lagSeconds: 0.02,
    });
  });

  it('never says that a reader is ahead, and is right about the bytes', () => {
    const position = fc.bigInt({ min: 0n, max: 2n ** 63n });
    const lsn = (value: bigint) =>
      `${(value >> 32n).toString(16)}/${(value & 0xffffffffn).toString(16)}`.toUpperCase();
    fc.assert(
      fc.property(position, fc.bigInt({ min: -(2n ** 40n), max: 2n ** 40n }), (written, difference) => {
        const received = written - difference < 0n ? 0n : written - difference;
        const progress = { receivedLsn: lsn(received), replayedLsn: lsn(received) };
        const [reader] = look({
          writer: beat('a-1', lsn(written)),
          instances: [reading('a-2', progress)],
        }).readers;
        expect(reader?.lagBytes).toBe(received > written ? 0 : Number(written - received));
      }),
    );
  });

  it('finds writers beside the one that the shard map leads to, and tells the fenced ones apart', () => {
    const two = { writer: beat('a-2'), instances: [writing('a-1'), writing('a-2')] };
    expect(look(two)).toMatchObject({ writerInstance: 'a-2', otherWriters: ['a-1'], fenced: [] });
    const fenced = { writer: beat('a-2'), instances: [writing('a-1', { readOnly: true }), writing('a-2')] };
    expect(look(fenced)).toMatchObject({ writerInstance: 'a-2', otherWriters: [], fenced: ['a-1'] });
    // The writer's own endpoint leads nowhere: which of two was it?
    const unknown = { ...two, writer: refused };
    expect(look(unknown, look(two))).toMatchObject({ writerInstance: 'a-2', otherWriters: ['a-1'] });
    expect(look(well)).toMatchObject({ otherWriters: [], fenced: [] });
  });

  it('does not take a writer that is silent for a reader', () => {
    expect(look(down, look(well)).readers.map(({ instance }) => instance)).toEqual(['a-2']);
    const gone = look(
      { writer: beat('a-1'), instances: [writing('a-1'), mute('a-2')] },
      look(well),
      false,
      30,
    );
    expect(gone.readers).toEqual([
      { instance: 'a-2', reachable: false, streaming: false, streamedAt: at(0).toISOString() },
    ]);
  });
});

describe('a probe that hears nothing', () => {
  const nothing = (...ids: string[]): Findings => ({ writer: silent, instances: ids.map((id) => mute(id)) });

  it('is cut off when there is more than one instance that could have answered', () => {
    expect(isCutOff([nothing('a-1'), nothing('b-1')], true)).toBe(true);
    expect(isCutOff([nothing('a-1', 'a-2')], true)).toBe(true);
    expect(isCutOff([nothing(), nothing()], true)).toBe(true);
  });

  it('asks DynamoDB where there is one instance alone', () => {
    expect(isCutOff([nothing('a-1')], true)).toBe(false);
    expect(isCutOff([nothing()], true)).toBe(false);
    expect(isCutOff([nothing('a-1')], false)).toBe(true);
  });

  it('has heard something when a connection was refused anywhere', () => {
    expect(isCutOff([nothing('a-1'), { writer: silent, instances: [mute('b-1', refused)] }], false)).toBe(
      false,
    );
    expect(isCutOff([nothing('a-1'), { writer: refused, instances: [] }], false)).toBe(false);
    expect(isCutOff([], false)).toBe(false);
  });
});

describe('asking an instance', () => {
  it.each([
    ['accepts, and says nothing', () => {}, { heard: false, reason: 'connect: no answer within 300 ms' }],
    ['ends the connection', (socket: Socket) => socket.end(), { heard: true }],
    ['resets it', (socket: Socket) => socket.resetAndDestroy(), { heard: true }],
  ])(
    'ends in time, and knows whether that was an answer, when the other side %s',
    async (_, serve, expected) => {
      const closed: Promise<unknown>[] = [];
      const server = createServer((socket) => {
        socket.on('error', () => {}).resume();
        closed.push(once(socket, 'close'));
        serve(socket);
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const address = server.address();
      const port = address !== null && typeof address === 'object' ? address.port : 0;
      const open = (options: Parameters<typeof connect>[0]) => connect({ ...options, password: 'x' });
      const answer = await asker(open, 'probe', 300)({ host: '127.0.0.1', port }, 'platform', async () => 1);
      expect(answer).toMatchObject(expected);
      expect(answer.value).toBeUndefined();
      // Nothing is left open, whatever the server does.
      await Promise.all(closed);
      server.close();
    },
  );

  it('has heard of one that refuses, and not of one that nobody knows', async () => {
    const failing = (code: string) =>
      asker(async () => Promise.reject(Object.assign(new Error('failed'), { code })), 'probe', 1000);
    for (const [code, heard] of Object.entries({
      ECONNREFUSED: true,
      ECONNRESET: true,
      '28000': true,
      ENOTFOUND: false,
      EHOSTUNREACH: false,
    })) {
      expect(await failing(code)({ host: 'x', port: 1 }, 'platform', async () => 1)).toMatchObject({ heard });
    }
  });
});

describe('a round of probes', () => {
  const shard = (name: string): Shard => ({
    name,
    clusterIdentifier: name,
    resourceId: 'cluster-x',
    database: 'platform',
    writer: { host: `${name}.example`, port: 5432 },
    epoch: 1,
    state: 'active',
  });
  type Behaviour = 'well' | 'refuses' | 'hangs';
  /** What hangs does so until `release`. */
  const world = (hosts: Record<string, Behaviour>, readable: { value: boolean } = { value: true }) => {
    const stored = new Map<string, ProbeRecord>();
    const told: string[] = [];
    const waiting: (() => void)[] = [];
    const rowOf = (sql: string) => {
      if (sql.includes('pg_is_in_recovery')) return identity('it');
      return sql.includes('pg_current_wal_lsn') ? { lsn: '0/3000000' } : { epoch: '1', beat: '7' };
    };
    const client = { query: async (sql: string) => ({ rows: [rowOf(sql)] }) };
    const ask: Ask = async ({ host }, _database, work) => {
      if (hosts[host] === 'well') return said(await work(client, () => {}));
      if (hosts[host] === 'refuses') return refused;
      await new Promise<void>((resolve) => waiting.push(resolve));
      return silent;
    };
    const read = async <T>(value: T): Promise<T> => {
      if (!readable.value) throw new Error('DynamoDB does not answer');
      return value;
    };
    const rounds = new ProbeRounds({
      shards: () => read(Object.keys(hosts).map((host) => shard(host.replace('.example', '')))),
      store: {
        probes: () => read([...stored.values()]),
        instances: () => read([]),
        put: async (record) => {
          await read(undefined);
          stored.set(record.shard, record);
          return true;
        },
      },
      ask,
      timeoutMs: 1000,
      metrics: {
        shard: ({ shard: name, ok, cutOff }) =>
          void told.push(`${name} ${ok ? 'ok' : cutOff ? 'cut off' : 'failed'}`),
        cutOff: (_at, value) => void told.push(`cut off: ${value}`),
      },
      log: { warn: () => {} },
      now: () => minute + told.length,
    });
    return {
      rounds,
      stored,
      told,
      release: () => {
        for (const resolve of waiting.splice(0)) resolve();
      },
      waiting,
    };
  };
  const settled = async (until: () => boolean) => {
    while (!until()) await new Promise(setImmediate);
  };

  it('tells of a shard as soon as it has answered, whatever another takes', async () => {
    const { rounds, told, stored, release } = world({ 'a.example': 'well', 'slow.example': 'hangs' });
    const running = rounds.run();
    await settled(() => told.length > 0);
    expect(told).toEqual(['a ok']);
    await settled(() => stored.has('a'));
    release();
    await running;
    expect(told.slice(1).sort()).toEqual(['cut off: false', 'slow failed']);
    expect(stored.get('slow')).toMatchObject({ consecutiveFailures: 1, cutOff: false });
  });

  it('says that it is cut off when it hears of no shard, and accuses none', async () => {
    const { rounds, told, stored, release, waiting } = world({ 'a.example': 'hangs', 'b.example': 'hangs' });
    const running = rounds.run();
    await settled(() => waiting.length === 2);
    release();
    await running;
    expect(told.sort()).toEqual(['a cut off', 'b cut off', 'cut off: true']);
    expect(stored.get('a')).toMatchObject({ consecutiveFailures: 0, cutOff: true });
  });

  it('goes on with what it knew when DynamoDB does not answer, and counts on', async () => {
    const readable = { value: true };
    const { rounds, told, stored } = world({ 'a.example': 'refuses' }, readable);
    await rounds.run();
    readable.value = false;
    await rounds.run();
    readable.value = true;
    await rounds.run();
    expect(told.filter((line) => line === 'a failed')).toHaveLength(3);
    expect(stored.get('a')).toMatchObject({ consecutiveFailures: 3 });
  });

  it('fails where nobody has said yet which shards there are', async () => {
    const { rounds, told } = world({ 'a.example': 'well' }, { value: false });
    await expect(rounds.run()).rejects.toThrow('DynamoDB does not answer');
    expect(told).toEqual(['cut off: true']);
  });

  it('keeps the later of two findings', async () => {
    const dynamo = await startDynamo('shards');
    try {
      const store = new ProbeStore(dynamo.client, 'shards');
      const record = (seconds: number) =>
        judge({
          shard: 'a',
          epoch: 1,
          at: at(seconds),
          findings: { writer: beat('a-1'), instances: [reading('a-2')] },
          cutOff: false,
          previous: undefined,
        });
      expect(await store.put(record(30))).toBe(true);
      expect(await store.put(record(0))).toBe(false);
      expect(await store.probes()).toEqual([record(30)]);
      expect(await store.instances()).toEqual([]);
    } finally {
      await dynamo.stop();
    }
  });
});

describe('finding instances', () => {
  it('keeps what the deployment names, and what was known where RDS does not answer', async () => {
    const dynamo = await startDynamo('shards');
    const rds = new RDSClient({
      endpoint: 'http://127.0.0.1:1',
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      maxAttempts: 1,
    });
    try {
      const warned: string[] = [];
      const named = ['one', 'two'].map((id) => ({ id, host: `${id}.example`, port: 5432 }));
      const parts = (seconds: number) => ({
        client: dynamo.client,
        table: 'shards',
        ...{ rds, inRegion: () => rds, globalOf: () => undefined },
        selfManaged: { own: named },
        now: () => at(seconds).getTime(),
        log: { warn: (_: string, about: Record<string, unknown>) => void warned.push(String(about.shard)) },
      });
      const shards = ['managed', 'own'].map((name) => ({
        name,
        clusterIdentifier: name,
        writer: { host: 'two.example', port: 5432 },
      }));
      const known = { shard: 'managed', at: at(0).toISOString(), engine: 'cluster' as const, instances: [] };
      expect(await keepInstances(dynamo.client, 'shards', known)).toBe(true);
      const found = await refreshInstances(shards, parts(60));
      expect([...found.keys()]).toEqual(['own']);
      expect(warned).toEqual(['managed']);
      expect(await new ProbeStore(dynamo.client, 'shards').instances()).toEqual([
        known,
        {
          shard: 'own',
          at: at(60).toISOString(),
          engine: 'self-managed',
          instances: [
            { ...named[0], role: 'reader', status: 'unknown' },
            { ...named[1], role: 'writer', status: 'unknown' },
          ],
        },
      ]);
      // An earlier look that comes late is not kept.
      expect(await keepInstances(dynamo.client, 'shards', { ...known, at: at(-60).toISOString() })).toBe(
        false,
      );
    } finally {
      rds.destroy();
      await dynamo.stop();
    }
  });
});

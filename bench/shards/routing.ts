import { Directory } from '../../client/map/directory.ts';
import { viewOf } from '../../client/map/view.ts';
import { hashBytes } from '../../functions/shards/hash/hash-bytes.ts';
import { hashKey, type KeyType } from '../../functions/shards/hash/keys.ts';
import { evenly, type SlotRange, shardOfSlot, slotOf } from '../../functions/shards/map/shard-map.ts';
import { route } from '../../functions/shards/route.ts';
import { TextSource } from '../backup/text.ts';
import { median } from '../measure/statistics.ts';
import { number } from '../report/figures.ts';
import type { Report } from '../report/report.ts';
import { modulo } from './peers.ts';
import { shardNames } from './workload.ts';

const shards = 64;
const slots = 4_096;
const decisions = 200_000;
const types = ['text', 'uuid', 'int8'] as const satisfies readonly KeyType[];
type MeasuredType = (typeof types)[number];

/** Decides about every key; what it returns keeps the work from being left out. */
type Lane = readonly [name: string, decide: (key: string) => unknown];

const names = shardNames(shards);
const entities = types.map((keyType) => ({ kind: keyType, keyType, tables: [] }));
const settings = { readPreference: 'secondaryPreferred', writeDurability: 'majority' } as const;
const changedAt = '2026-01-01T00:00:00.000Z';

/** Neighbours lie on different shards: as many ranges as a map has at most. */
const scattered: SlotRange[] = Array.from({ length: 2_048 }, (_, index) => ({
  ...{ first: 2 * index, last: 2 * index + 1 },
  shard: names[index % shards] ?? '',
}));

/** Route decisions a second in one process, beside a modulo of the same hash. */
export async function measureRoutes({
  rounds,
  progress,
}: {
  rounds: number;
  progress: (text: string) => void;
}): Promise<Report> {
  const cells = new Map<string, Map<MeasuredType, number[]>>();
  for (const type of types) {
    const keys = keysOf(type);
    const lanes = lanesOf(type);
    // The first round is for the compiler.
    for (let round = 0; round <= rounds; round += 1) {
      for (const [name, decide] of lanes) {
        progress(`shards, routes, round ${round} of ${rounds}: ${name}, ${type}`);
        const perSecond = await measure(keys, decide);
        if (round === 0) continue;
        const row = cells.get(name) ?? new Map<MeasuredType, number[]>();
        row.set(type, [...(row.get(type) ?? []), perSecond]);
        cells.set(name, row);
      }
    }
  }
  return reportOf(cells, rounds);
}

function keysOf(type: MeasuredType): string[] {
  const text = new TextSource(11);
  return Array.from({ length: decisions }, (_, index) => {
    switch (type) {
      case 'text':
        return `user-${text.below(2 ** 32).toString(36)}`;
      case 'uuid':
        return text.uuid();
      case 'int8':
        return String(index * 7_919 + 1);
      default:
        return type satisfies never;
    }
  });
}

const api = 'Mainstay: as the API answers, without its table';
const client = 'Mainstay: the client’s route()';
const slotAndMap = 'Mainstay: hash, slot, map of 64 ranges';
const widestMap = 'Mainstay: hash, slot, map of 2 048 ranges';
const bare = 'bare: modulo of the same hash';
const unchecked = 'bare: modulo of the key’s bytes, hashed unchecked';

function lanesOf(type: MeasuredType): Lane[] {
  const map = { epoch: 1, slots, ranges: evenly(slots, names), changedAt, reason: '' };
  const places = new Map(names.map((shard) => [shard, placeOf(shard)]));
  const directory = new Directory(
    viewOf({
      ...{ slots, mapEpoch: 1, changedAt, ...settings, entities, pins: [] },
      shards: map.ranges.map(({ shard, first, last }) => ({ ...placeOf(shard), ranges: [{ first, last }] })),
    }),
  );
  const sharding = { entities, pins: [], ...settings };
  const known = { map, sharding, places: { find: async (shard: string) => places.get(shard) } };
  const kind = { kind: type };
  const utf8 = new TextEncoder();
  return [
    [unchecked, (key) => modulo(hashBytes(utf8.encode(key)), shards)],
    [bare, (key) => modulo(BigInt.asUintN(64, hashKey(type, key)), shards)],
    [slotAndMap, (key) => shardOfSlot(map, slotOf(hashKey(type, key), slots))],
    [widestMap, (key) => shardOfSlot({ ranges: scattered }, slotOf(hashKey(type, key), slots))],
    [client, (key) => directory.route(key, kind)],
    [api, (key) => route({ key, kind: type }, known)],
  ];
}

function placeOf(shard: string) {
  const readers = [1, 2].map((reader) => ({
    ...{
      instance: `${shard}-${reader}`,
      host: `${shard}-${reader}.example`,
      port: 5432,
      status: 'available',
    },
  }));
  return {
    ...{ shard, database: 'platform', shardEpoch: 1, readers },
    writer: { host: `${shard}.example`, port: 5432 },
  };
}

async function measure(keys: readonly string[], decide: Lane[1]): Promise<number> {
  let last: unknown;
  const started = performance.now();
  for (const key of keys) {
    last = decide(key);
    if (last instanceof Promise) last = await last;
  }
  const seconds = (performance.now() - started) / 1000;
  if (last === undefined) throw new Error('Nothing has been decided.');
  return keys.length / seconds;
}

function reportOf(cells: ReadonlyMap<string, ReadonlyMap<MeasuredType, number[]>>, rounds: number): Report {
  const middle = (name: string, type: MeasuredType) => median(cells.get(name)?.get(type) ?? []);
  return {
    title: 'Routes: decisions a second',
    setting: [
      `${decisions} keys, one after another in one warm process; ${slots} slots on ${shards} shards; median of ${rounds} rounds.`,
      'The hash is PostgreSQL’s, and checks that the key is one of its type.',
    ],
    columns: [
      { title: 'Decided by' },
      ...types.flatMap((type) => [
        { title: `${type}/s`, align: 'right' as const },
        { title: 'of bare', align: 'right' as const },
      ]),
    ],
    rows: [...cells.keys()].map((name) => [
      name,
      ...types.flatMap((type) => [
        number(middle(name, type), 0),
        number(middle(name, type) / middle(bare, type), 2),
      ]),
    ]),
    findings: types.map((type) => {
      const [ours, modulos] = [1e6 / middle(client, type), 1e6 / middle(bare, type)];
      const cost = ours - modulos;
      return `${type}: the client’s route takes ${ours.toFixed(2)} µs, ${Math.abs(cost).toFixed(2)} µs ${cost < 0 ? 'less' : 'more'} than a modulo, which leads nowhere when a shard comes or goes.`;
    }),
  };
}

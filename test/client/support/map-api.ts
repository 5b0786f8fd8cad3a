import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { evenly } from '../../../functions/shards/map/shard-map.ts';

export interface FakeShard {
  shard: string;
  shardEpoch: number;
  writer: { host: string; port: number };
  readers: { instance: string; host: string; port: number; status: string }[];
}

/** What `GET /api/database/sharding` would answer of some shards, which have the slots evenly. */
export function viewAnswer(shards: readonly FakeShard[], change: object = {}) {
  const slots = 4096;
  const ranges = evenly(
    slots,
    shards.map(({ shard }) => shard),
  );
  return {
    ...{ strategy: 'hash', slots, mapEpoch: 1, changedAt: '2026-01-01T00:00:00.000Z' },
    ...{ readPreference: 'secondaryPreferred', writeDurability: 'majority', pins: [] },
    entities: [
      { kind: 'user', keyType: 'uuid' },
      { kind: 'content', keyType: 'int8' },
      { kind: 'page', keyType: 'text' },
      { kind: 'blob', keyType: 'bytea' },
    ],
    shards: shards.map((each) => ({
      ...each,
      database: 'platform',
      ranges: ranges.filter(({ shard }) => shard === each.shard).map(({ first, last }) => ({ first, last })),
    })),
    ...change,
  };
}

/** An API that answers with the map that it is given, or not at all. */
export class MapApi {
  answer: unknown;
  status = 200;
  requests = 0;
  readonly keys = new Set<string | undefined>();
  readonly #server: Server;

  private constructor(answer: unknown) {
    this.answer = answer;
    this.#server = createServer((request, response) => {
      this.requests += 1;
      this.keys.add(request.headers.authorization);
      response.writeHead(this.status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(this.status === 200 ? this.answer : { status: this.status }));
    });
  }

  static async start(answer: unknown): Promise<MapApi> {
    const api = new MapApi(answer);
    await new Promise<void>((resolve) => api.#server.listen(0, '127.0.0.1', resolve));
    return api;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

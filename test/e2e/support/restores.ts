import { expect } from '@jest/globals';
import { type Restore, restoreSchema } from '../../../functions/recovery/restore/model.ts';
import { waitFor } from '../../support/wait-for.ts';
import type { ApiClient } from './api.ts';
import { databasesOf, onShard, quote } from './databases.ts';
import type { LocalJson } from './local-platform.ts';
import { root } from './recovery.ts';

/** Restores of the shared platform that one test file starts; `tidy` removes the databases they made. */
export class Restores {
  readonly #local: LocalJson;
  readonly #call: ApiClient;
  readonly #started = new Set<string>();

  constructor(local: LocalJson, call: ApiClient) {
    this.#local = local;
    this.#call = call;
  }

  async start(body: unknown): Promise<string> {
    const { status, body: answer, headers } = await this.#call('POST', `${root}/restore`, { body });
    expect({ status, answer }).toMatchObject({ status: 202 });
    const { id } = restoreSchema.parse(answer);
    expect(headers.get('location')).toBe(`${root}/restore/${id}`);
    this.#started.add(id);
    return id;
  }

  async read(id: string): Promise<Restore> {
    const { status, body } = await this.#call('GET', `${root}/restore/${id}`);
    expect({ status, body }).toMatchObject({ status: 200 });
    return restoreSchema.parse(body);
  }

  /** Waits until a restore is as `isThere` says. */
  until(id: string, what: string, isThere: (restore: Restore) => boolean): Promise<Restore> {
    return waitFor(
      async () => {
        const restore = await this.read(id);
        return isThere(restore) && restore;
      },
      { what: `${what} of the restore ${id}`, timeoutMs: 90_000, intervalMs: 300 },
    );
  }

  ended(id: string): Promise<Restore> {
    return this.until(id, 'the end', ({ state }) => ['completed', 'failed', 'canceled'].includes(state));
  }

  /** Restores, and expects it to complete with every row as it was. */
  async take(body: unknown): Promise<Restore> {
    const restore = await this.ended(await this.start(body));
    expect({ state: restore.state, error: restore.error }).toEqual({ state: 'completed', error: null });
    return restore;
  }

  /** The databases of a shard's cluster that begin with the platform's name. */
  async databases(shard: string): Promise<string[]> {
    const all = await onShard(this.#local, shard, databasesOf);
    return all.filter((name) => name.startsWith('platform'));
  }

  /** Removes every database but the platform's from all shards, and ends what is at work. */
  async tidy(): Promise<void> {
    for (const id of this.#started) {
      await this.#call('POST', `${root}/restore/${id}/cancel`);
      await this.ended(id);
    }
    this.#started.clear();
    for (const { name: shard } of this.#local.shards) {
      for (const database of await this.databases(shard)) {
        if (database !== 'platform') await this.drop(shard, database);
      }
    }
  }

  async drop(shard: string, database: string): Promise<void> {
    await onShard(this.#local, shard, (client) =>
      client.query(`DROP DATABASE IF EXISTS ${quote(database)} WITH (FORCE)`),
    );
  }
}

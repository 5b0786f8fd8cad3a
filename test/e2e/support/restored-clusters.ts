import {
  DeleteDBClusterCommand,
  DeleteDBInstanceCommand,
  DescribeDBClustersCommand,
  ModifyDBClusterCommand,
  RDSClient,
} from '@aws-sdk/client-rds';
import type pg from 'pg';
import type { Restore } from '../../../functions/recovery/restore/model.ts';
import { waitFor } from '../../support/wait-for.ts';
import { awsConfig } from './aws.ts';
import { digestTables } from './databases.ts';
import type { LocalJson } from './local-platform.ts';

/** A digest of every table that is in the log: PostgreSQL empties those that are not when it recovers. */
export async function digestLoggedTables(client: pg.Client): Promise<Record<string, string>> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT format('"%s"."%s"', n.nspname, c.relname) AS name
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relpersistence = 'u'`,
  );
  const unlogged = new Set(rows.map(({ name }) => name));
  const digests = Object.entries(await digestTables(client));
  return Object.fromEntries(digests.filter(([name]) => !unlogged.has(name)));
}

/** The clusters that restores to a point in time make of a running platform's shards, as an operator sees them. */
export class RestoredClusters {
  readonly #local: LocalJson;
  readonly #rds: RDSClient;

  constructor(local: LocalJson) {
    this.#local = local;
    this.#rds = new RDSClient(awsConfig(local));
  }

  /** Waits until RDS says that a shard can be restored, and to what it can be. */
  async restorable(shard: string): Promise<{ earliest: Date; latest: Date }> {
    return waitFor(
      async () => {
        const found = (await this.#all()).find(
          (one) => one.DBClusterIdentifier === `mainstay-local-${shard}`,
        );
        const { EarliestRestorableTime: earliest, LatestRestorableTime: latest } = found ?? {};
        return earliest !== undefined && latest !== undefined && { earliest, latest };
      },
      { what: `the first base backup of ${shard}`, intervalMs: 200 },
    );
  }

  /** Identifiers of all restored clusters there are. */
  async names(): Promise<string[]> {
    const all = await this.#all();
    return all.flatMap(({ DBClusterIdentifier: name = '' }) =>
      name.startsWith('mainstay-local-0-') ? [name] : [],
    );
  }

  /** How to reach a restored cluster by the helpers that take the platform's description. */
  reach(restore: Restore, shard: string): LocalJson {
    const port = restore.clusters.find((cluster) => cluster.shard === shard)?.writer?.port;
    const shards = this.#local.shards.map((known) => {
      if (known.name !== shard) return known;
      const url = new URL(known.writer.url);
      url.port = String(port);
      return { ...known, writer: { ...known.writer, url: url.href } };
    });
    return { ...this.#local, shards };
  }

  /** Removes every restored cluster. */
  async tidy(): Promise<void> {
    for (const { DBClusterIdentifier, DBClusterMembers = [] } of await this.#all()) {
      if (DBClusterIdentifier?.startsWith('mainstay-local-0-') !== true) continue;
      await this.#rds.send(new ModifyDBClusterCommand({ DBClusterIdentifier, DeletionProtection: false }));
      for (const { DBInstanceIdentifier } of DBClusterMembers) {
        await this.#rds.send(new DeleteDBInstanceCommand({ DBInstanceIdentifier }));
      }
      await this.#rds.send(new DeleteDBClusterCommand({ DBClusterIdentifier, SkipFinalSnapshot: true }));
    }
  }

  async #all() {
    return (await this.#rds.send(new DescribeDBClustersCommand({}))).DBClusters ?? [];
  }
}

import { ulid } from 'ulid';
import { type RestoreId, restoreIdSchema } from '../../functions/recovery/ids.ts';
import {
  maintenanceDatabase,
  prepareTarget,
} from '../../functions/recovery/restore/engine/prepare-target.ts';
import { qualifiedName } from '../../functions/recovery/snapshot/sql.ts';
import { type DatabaseConnection, openConnection } from '../backup/connection.ts';
import type { StoreFacts } from '../backup/store.ts';
import { withEngine } from './engine.ts';
import type { StoredBackup } from './stored-backup.ts';

const database = 'bench_restored';

/**
 * The database that is restored into, made anew for each run by the engine's own first phase: all candidates begin with the
 * same empty tables. Making it does not count.
 */
export class Target {
  readonly connection: DatabaseConnection;
  readonly #maintenance: DatabaseConnection;
  readonly #store: StoreFacts;
  readonly #backup: StoredBackup;
  #restoreId: RestoreId | undefined;

  constructor(server: DatabaseConnection, store: StoreFacts, backup: StoredBackup) {
    this.connection = { ...server, database };
    this.#maintenance = { ...server, database: maintenanceDatabase };
    this.#store = store;
    this.#backup = backup;
  }

  /** The restore that made the database. @throws when there is none. */
  get restoreId(): RestoreId {
    if (this.#restoreId === undefined) throw new Error('There is no database to restore into.');
    return this.#restoreId;
  }

  /** Makes the database, and lets no earlier run's writes wait for the disk. */
  async create(): Promise<void> {
    const restoreId = restoreIdSchema.parse(ulid());
    this.#restoreId = restoreId;
    await withEngine(this.#maintenance, this.#store, (deps) =>
      prepareTarget(deps, { restoreId, database, plan: this.#backup.plan }),
    );
    const client = await openConnection(this.#maintenance);
    await client.query('CHECKPOINT');
    await client.end();
  }

  /** Removes the database. @throws when it did not hold every row. */
  async drop(): Promise<void> {
    await this.#checkRows();
    const client = await openConnection(this.#maintenance);
    try {
      await client.query(`DROP DATABASE ${database} WITH (FORCE)`);
    } finally {
      await client.end();
    }
  }

  async #checkRows(): Promise<void> {
    const client = await openConnection(this.connection);
    try {
      for (const table of this.#backup.plan.tables) {
        const { rows } = await client.query<{ count: number }>(
          `SELECT count(*)::float8 AS count FROM ${qualifiedName(table)}`,
        );
        const count = rows[0]?.count;
        if (count !== table.rows)
          throw new Error(`${qualifiedName(table)} has ${count} of ${table.rows} rows.`);
      }
    } finally {
      await client.end();
    }
  }
}

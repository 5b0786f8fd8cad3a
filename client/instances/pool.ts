import type { Socket } from 'node:net';
import pg from 'pg';
import { ShardError } from '../errors.ts';
import type { Address } from '../map/view.ts';
import type { Settings } from '../options.ts';
import { connectionTo, type Durability, type Mode } from './connection.ts';

export interface PoolParts {
  readonly address: Address;
  readonly database: string;
  readonly mode: Mode;
  readonly settings: Settings;
  readonly durability: Durability;
  /** Looks at a new connection before it is used, and throws where it is not what it should be. */
  readonly admit: (client: pg.ClientBase) => Promise<void>;
}

/** Connections to one instance, so many and not more, and so many that wait for one. */
export class InstancePool {
  readonly #pool: pg.Pool;
  readonly #sockets = new Set<Socket>();
  readonly #maxWaiting: number;
  #retired = false;

  constructor({ address, database, mode, settings, durability, admit }: PoolParts) {
    this.#maxWaiting = settings.maxWaiting;
    this.#pool = new pg.Pool({
      ...connectionTo(address, database, mode, settings, durability, this.#sockets),
      max: mode === 'watch' ? 1 : settings.maxConnections,
      idleTimeoutMillis: settings.idleTimeoutMs,
      // Addresses may lead elsewhere after a while.
      maxLifetimeSeconds: 1_800,
      allowExitOnIdle: true,
      onConnect: admit,
    });
    // A connection that breaks fails what runs on it, not the process.
    this.#pool.on('error', () => {});
    this.#pool.on('connect', (client) => client.on('error', () => {}));
  }

  /**
   * A connection, which the caller gives back by `release`.
   *
   * @throws ShardError `busy`; otherwise why none was to be had.
   */
  async acquire(): Promise<pg.PoolClient> {
    if (this.#pool.waitingCount >= this.#maxWaiting) {
      throw new ShardError('busy', `${this.#maxWaiting} wait for a connection to the instance already.`);
    }
    if (this.#retired) throw new ShardError('stale-writer', 'The instance has been left.');
    return this.#pool.connect();
  }

  get counts(): { readonly total: number; readonly idle: number; readonly waiting: number } {
    const { totalCount: total, idleCount: idle, waitingCount: waiting } = this.#pool;
    return { total, idle, waiting };
  }

  /** Ends all connections when what runs on them has ended or, `hard`, at once: nothing is committed by them any more. */
  retire(hard: boolean): void {
    if (!this.#retired) void this.#pool.end().catch(() => {});
    this.#retired = true;
    if (!hard) return;
    for (const socket of this.#sockets) socket.destroy();
  }
}

import * as z from 'zod';
import { ShardError } from './errors.ts';

/** An instance that a connection is about to be made to. */
export interface Login {
  readonly host: string;
  readonly port: number;
  readonly user: string;
}

/** Gives the password for a new connection: one that is kept, or an IAM token made for it (`@aws-sdk/rds-signer`). */
export type PasswordOf = (login: Login) => string | Promise<string>;

const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
const milliseconds = (least: number, most: number) => z.int().min(least).max(most);

const optionsSchema = z.strictObject({
  /** Base URL of the API. */
  api: z
    .url()
    .refine(
      (url) => new URL(url).protocol === 'https:' || loopback.test(new URL(url).hostname),
      'has to be https: the API key goes there',
    ),
  /** An API key with the scope `shards:read`. */
  apiKey: z.string().min(1),
  /** The role of the database that the service logs in as. */
  user: z.string().min(1).max(63),
  password: z.union([z.string(), z.custom<PasswordOf>((value) => typeof value === 'function')]),
  /** Certificate authorities to trust besides Amazon's database authorities, in PEM. */
  authorities: z.array(z.string()).max(20).default([]),
  /** Seen in `pg_stat_activity`. */
  applicationName: z.string().max(63).default('mainstay-client'),
  /** Connections to one instance, each for writing and for reading. */
  maxConnections: z.int().min(1).max(1_000).default(10),
  /** How many may wait for one of them. */
  maxWaiting: z.int().min(0).max(100_000).default(1_000),
  /** How long connecting, or waiting for a connection, may take. */
  connectTimeoutMs: milliseconds(10, 120_000).default(5_000),
  /** How long a statement may take. */
  statementTimeoutMs: milliseconds(1, 86_400_000).default(30_000),
  /** An idle connection is closed after it. */
  idleTimeoutMs: milliseconds(100, 3_600_000).default(30_000),
  /** How long a write waits for a writer while a shard fails over. */
  writerWaitMs: milliseconds(0, 600_000).default(15_000),
  /** How long a read waits until a reader has what it has to have; then it goes to the writer. */
  positionWaitMs: milliseconds(0, 60_000).default(500),
  /** A reader that is further behind is not read from. */
  maxLagSeconds: z.number().min(0).max(86_400).default(5),
  /** From one look at the instances of a shard that is in use to the next. */
  watchIntervalMs: milliseconds(50, 60_000).default(1_000),
  /** From one refresh of the map to the next, where nothing hastens it. */
  refreshMs: milliseconds(100, 600_000).default(10_000),
  /** A map that could not be refreshed for longer is not used; without it, it is used for as long as it takes. */
  maxMapAgeMs: milliseconds(1_000, 604_800_000).optional(),
});

/** How a client works: what has no default has to be there. */
export type ShardClientOptions = z.input<typeof optionsSchema>;
export type Settings = z.output<typeof optionsSchema>;

/** @throws ShardError naming the option that is wrong, without its value. */
export function settingsOf(options: ShardClientOptions): Settings {
  const result = optionsSchema.safeParse(options);
  if (result.success) return result.data;
  const problems = result.error.issues.map(
    ({ path, message }) => `${path.join('.') || 'options'}: ${message}`,
  );
  throw new ShardError('invalid-options', problems.join('; '));
}

import * as z from 'zod';
import { jsonVariable } from '../../shared/json-variable.ts';
import { keyTypes } from '../hash/keys.ts';

const part = z.number().min(0);

/** When shards count as uneven, and what their load is made of: the deployment's settings, as its functions get them. */
export const balanceSchema = z.object({
  /** Over this coefficient of variation moves are recommended, and an alarm is raised. */
  threshold: z.number().min(0.01).max(2),
  minImprovement: z.number().min(0).max(1),
  maxMoves: z.int().min(1),
  /** How much each measure counts; rows by entity, and 1 where an entity is not named. */
  weights: z.object({ rows: z.record(z.string(), part), bytes: part, load: part }),
  /** What shards can take; those that are not named have the weight 1 and any room. */
  shards: z.record(
    z.string(),
    z.object({ weight: z.number().positive(), capacityBytes: z.int().positive().optional() }),
  ),
  /** Tables of more rows are sampled, so that about this many are read. */
  sampleRows: z.int().min(1_000),
  /** Readers further behind are not asked, in seconds. */
  maxLagSeconds: z.number().min(0),
  /** What moves are estimated by. */
  moveBytesPerSecond: z.int().positive(),
  movePricePerGb: z.number().min(0),
});
export type Balance = z.output<typeof balanceSchema>;

/** As an environment variable. */
export const BALANCE = jsonVariable.pipe(balanceSchema).describe('When shards are uneven; JSON.');

/** What is counted: the tables of each entity, and the column that names tenants. */
export const countedSchema = z.object({
  tables: z.array(
    z.object({ kind: z.string(), keyType: z.enum(keyTypes), table: z.string(), column: z.string() }),
  ),
  tenantColumn: z.string().optional(),
  /** Of tables whose column is called otherwise. */
  tenantColumns: z.record(z.string(), z.string()),
  pinnedTenants: z.array(z.string()),
});
export type Counted = z.output<typeof countedSchema>;

/** As an environment variable. */
export const COUNTED = jsonVariable.pipe(countedSchema).describe('Which tables are counted by slot; JSON.');

/** What a shard can take. */
export function limitsOf(
  { shards }: Balance,
  shard: string,
): { weight: number; capacityBytes?: number | undefined } {
  return shards[shard] ?? { weight: 1 };
}

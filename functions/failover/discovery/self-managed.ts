import * as z from 'zod';
import { jsonVariable } from '../../shared/json-variable.ts';
import { addressSchema } from '../model.ts';

const instanceSchema = addressSchema.extend({ id: z.string() });

/** Instances that RDS does not manage, by shard, as the deployment names them. */
export type SelfManaged = Readonly<Record<string, readonly z.output<typeof instanceSchema>[]>>;

/** As an environment variable. */
export const SELF_MANAGED_INSTANCES = jsonVariable
  .pipe(z.record(z.string(), z.array(instanceSchema).max(16)))
  .describe('Instances that RDS does not manage, by shard; JSON.');

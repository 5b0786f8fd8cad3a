import * as z from 'zod';
import { jsonVariable } from '../shared/json-variable.ts';

/** What replaces the writer of a shard; see the configuration of deployments. */
export const actionSchema = z.enum(['cluster', 'replica', 'global', 'observe']);
export type FailoverAction = z.output<typeof actionSchema>;

/** What is right for one shard. */
export const shardPolicySchema = z.object({
  action: actionSchema,
  globalClusterIdentifier: z.string().optional(),
});

/** When a writer is replaced, and by what: the deployment's configuration, as functions are told it. */
export const failoverPolicySchema = z.object({
  probeIntervalSeconds: z.number().int().min(1),
  probeTimeoutMs: z.number().int().min(1),
  failureThreshold: z.number().int().min(1),
  automatic: z.boolean(),
  cooldownMinutes: z.number().min(0),
  maxLagBytes: z.number().int().min(0),
  maxLagSeconds: z.number().min(0).optional(),
  flapping: z.object({ transitions: z.number().int().min(1), windowMinutes: z.number().min(0) }),
  /** Only shards whose action is not `cluster`: an environment variable has little room. */
  shards: z.record(z.string(), shardPolicySchema),
});
export type FailoverPolicy = z.output<typeof failoverPolicySchema>;

/** As an environment variable. */
export const FAILOVER_POLICY = jsonVariable
  .pipe(failoverPolicySchema)
  .describe('When writers are replaced, and by what; JSON.');

/** The policy of one shard. */
export interface ShardPolicy extends Omit<FailoverPolicy, 'shards'> {
  readonly action: FailoverAction;
  readonly globalClusterIdentifier?: string | undefined;
}

/** What holds for one shard. */
export function policyOf({ shards, ...common }: FailoverPolicy, shard: string): ShardPolicy {
  return { ...common, action: 'cluster', ...shards[shard] };
}

/** How old a probe's word may be, in milliseconds: after that nobody has looked. */
export const staleAfterMs = ({
  probeIntervalSeconds,
}: Pick<FailoverPolicy, 'probeIntervalSeconds'>): number => 60_000 + 3 * probeIntervalSeconds * 1000;

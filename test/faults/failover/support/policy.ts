import {
  GetFunctionConfigurationCommand,
  LambdaClient,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { type FailoverPolicy, failoverPolicySchema } from '../../../../functions/failover/policy.ts';
import { awsConfig } from '../../../e2e/support/aws.ts';
import { functionNamed } from '../../../e2e/support/functions.ts';
import type { LocalJson } from '../../../e2e/support/local-platform.ts';

/** Changes when the deciding function replaces a writer. @returns what restores it as it was. */
export async function changePolicy(
  local: LocalJson,
  change: Partial<FailoverPolicy>,
): Promise<() => Promise<void>> {
  const client = new LambdaClient(awsConfig(local));
  const FunctionName = await functionNamed(local, '-FailoverFunction');
  const { Environment } = await client.send(new GetFunctionConfigurationCommand({ FunctionName }));
  const before = Environment?.Variables ?? {};
  const policy = failoverPolicySchema.parse(JSON.parse(before.FAILOVER_POLICY ?? ''));
  const set = async (Variables: Record<string, string>) => {
    await client.send(new UpdateFunctionConfigurationCommand({ FunctionName, Environment: { Variables } }));
  };
  await set({ ...before, FAILOVER_POLICY: JSON.stringify({ ...policy, ...change }) });
  return () => set(before);
}

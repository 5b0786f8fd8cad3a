import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { onDependency } from '../../shared/dependency.ts';

/** Starts an analysis, and does not wait for it. @throws DependencyError */
export async function startAnalysis(
  client: LambdaClient,
  functionArn: string,
  traceparent: string,
): Promise<void> {
  await onDependency('Lambda', 'Invoke analyze', () =>
    client.send(
      new InvokeCommand({
        FunctionName: functionArn,
        InvocationType: 'Event',
        Payload: JSON.stringify({ traceparent }),
      }),
    ),
  );
}

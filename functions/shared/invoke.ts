import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import type * as z from 'zod';
import { DependencyError, onDependency } from './dependency.ts';

/**
 * Invokes another function and waits for what it returns.
 *
 * @param withinMs how long that may take, in milliseconds; default: as long as the function runs.
 * @throws DependencyError with the error that the function ended with.
 */
export async function invoke<S extends z.ZodType>(
  client: LambdaClient,
  functionArn: string,
  event: unknown,
  result: S,
  withinMs?: number,
): Promise<z.output<S>> {
  return onDependency('Lambda', 'Invoke', async () => {
    const { Payload, FunctionError } = await client.send(
      new InvokeCommand({ FunctionName: functionArn, Payload: JSON.stringify(event) }),
      withinMs === undefined ? {} : { abortSignal: AbortSignal.timeout(withinMs) },
    );
    const text = Payload === undefined ? '' : Buffer.from(Payload).toString('utf8');
    if (FunctionError !== undefined)
      throw new DependencyError(`${functionArn} failed: ${text.slice(0, 500)}`);
    return result.parse(JSON.parse(text));
  });
}

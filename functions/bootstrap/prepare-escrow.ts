import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import * as z from 'zod';

const answerSchema = z.object({ state: z.enum(['disabled', 'missing', 'unchanged', 'made']) });
const errorSchema = z.object({ errorType: z.string().optional(), errorMessage: z.string().optional() });

/** What became of the escrow passphrase; `failed` with the reason. A deployment goes on whatever it is. */
export type EscrowPreparation =
  | { readonly state: z.output<typeof answerSchema>['state'] }
  | { readonly state: 'failed'; readonly reason: string };

/** Has the wrapping key of the escrow made, where there is a passphrase. Never throws: the hourly run tries again. */
export async function prepareEscrow(
  lambda: LambdaClient,
  functionArn: string | undefined,
): Promise<EscrowPreparation> {
  if (functionArn === undefined) return { state: 'disabled' };
  try {
    const command = new InvokeCommand({ FunctionName: functionArn, Payload: '{}' });
    const { FunctionError, Payload } = await lambda.send(command);
    const answer: unknown = JSON.parse(new TextDecoder().decode(Payload));
    if (FunctionError === undefined) return { state: answerSchema.parse(answer).state };
    const { errorType = FunctionError, errorMessage = 'no message' } = errorSchema.parse(answer);
    return { state: 'failed', reason: `${errorType}: ${errorMessage}` };
  } catch (error) {
    return {
      state: 'failed',
      reason: error instanceof Error ? `${error.name}: ${error.message}` : 'unknown',
    };
  }
}

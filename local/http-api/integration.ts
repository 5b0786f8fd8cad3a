import { AwsError } from '../aws/operation.ts';
import type { HttpApiRoute } from './definition.ts';
import { type GatewayResponse, gatewayError, interpretResponse } from './response.ts';

/** Runs the function of a route. */
export type InvokeIntegration = (
  functionArn: string,
  payload: string,
  call: {
    /** ARN of the API's route, which the function's resource policy has to admit. */
    sourceArn: string;
    traceHeader: string;
  },
) => Promise<IntegrationResult>;

/** What a function gave. */
export interface IntegrationResult {
  /** JSON text. */
  payload: string | undefined;
  /** Set when the function failed. */
  functionError?: string | undefined;
  requestId?: string | undefined;
}

/** A response, and what access logs say about how it came about. */
export interface Integrated {
  response: GatewayResponse;
  latencyMs: number;
  requestId: string | undefined;
  /** What went wrong. */
  problem: string | undefined;
}

const defaultTimeoutMs = 30_000;

/** Runs the function of a route and makes its result, its failure or its silence a response. */
export async function integrate(
  route: HttpApiRoute,
  call: () => Promise<IntegrationResult>,
): Promise<Integrated> {
  const startedAt = Date.now();
  const { response, problem, requestId } = await outcomeOf(call(), route.timeoutMs ?? defaultTimeoutMs);
  return { response, problem, requestId, latencyMs: Date.now() - startedAt };
}

async function outcomeOf(
  running: Promise<IntegrationResult>,
  timeoutMs: number,
): Promise<{ response: GatewayResponse; problem?: string; requestId?: string | undefined }> {
  const timeout = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => timeout.resolve(undefined), timeoutMs).unref();
  try {
    // The function runs on after a timeout, as on AWS; what becomes of it then is nobody's business here.
    const result = await Promise.race([running, timeout.promise]);
    if (result === undefined) {
      return { response: gatewayError(503, 'Service Unavailable'), problem: 'Endpoint request timed out' };
    }
    const { requestId, functionError, payload = 'null' } = result;
    const internal = gatewayError(500, 'Internal Server Error');
    if (functionError !== undefined) {
      return { response: internal, requestId, problem: 'The Lambda function returned an error' };
    }
    const response = interpretResponse(payload);
    if (response !== undefined) return { response, requestId };
    return { response: internal, requestId, problem: 'The response of the Lambda function is malformed' };
  } catch (error) {
    return { response: refusal(error), problem: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
  }
}

/** What the gateway makes of a call that Lambda refuses. */
function refusal(error: unknown): GatewayResponse {
  const status = error instanceof AwsError ? error.statusCode : 500;
  if (status === 429) return gatewayError(503, 'Service Unavailable');
  if (status === 413) return gatewayError(413, 'Request Entity Too Large');
  return gatewayError(500, 'Internal Server Error');
}

import * as z from 'zod';

/** What a client gets. */
export interface GatewayResponse {
  statusCode: number;
  /** Names in lower case. */
  headers: Record<string, string>;
  cookies: readonly string[];
  body: Buffer;
}

const scalar = z.union([z.string(), z.number(), z.boolean()]);

const structuredSchema = z.looseObject({
  statusCode: z
    .union([z.number().int(), z.string().regex(/^\d+$/).transform(Number)])
    .pipe(z.number().min(200).max(599)),
  headers: z.record(z.string(), z.union([scalar, z.null()])).nullish(),
  cookies: z.array(z.string()).nullish(),
  body: z.union([scalar, z.null()]).optional(),
  isBase64Encoded: z.boolean().nullish(),
});

/** Set by the gateway or by Node, whatever a function says. */
const notPassedOn = new Set(['connection', 'content-length', 'keep-alive', 'transfer-encoding', 'upgrade']);
const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const notInHeader = /[^\t\x20-\x7e\x80-\xff]/;

/** A response that API Gateway gives by itself. */
export function gatewayError(statusCode: number, message: string): GatewayResponse {
  return {
    statusCode,
    headers: { 'content-type': 'application/json' },
    cookies: [],
    body: Buffer.from(JSON.stringify({ message })),
  };
}

/**
 * Reads what a function returned, in payload format 2.0: an object with `statusCode` is the
 * response, anything else its JSON body.
 *
 * @returns undefined for a response that is malformed.
 */
export function interpretResponse(payload: string): GatewayResponse | undefined {
  let result: unknown;
  try {
    result = JSON.parse(payload);
  } catch {
    return undefined;
  }
  if (typeof result !== 'object' || result === null || !('statusCode' in result)) {
    return {
      statusCode: 200,
      headers: { 'content-type': 'application/json' },
      cookies: [],
      body: Buffer.from(typeof result === 'string' ? result : payload),
    };
  }
  const parsed = structuredSchema.safeParse(result);
  if (!parsed.success) return undefined;
  const { statusCode, body, cookies, isBase64Encoded } = parsed.data;
  const headers = headersOf(parsed.data.headers ?? {});
  if (headers === undefined || cookies?.some((cookie) => notInHeader.test(cookie))) return undefined;
  return {
    statusCode,
    headers: { 'content-type': 'text/plain;charset=UTF-8', ...headers },
    cookies: cookies ?? [],
    body: Buffer.from(String(body ?? ''), isBase64Encoded === true ? 'base64' : 'utf8'),
  };
}

function headersOf(
  given: Readonly<Record<string, string | number | boolean | null>>,
): Record<string, string> | undefined {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    const text = String(value ?? '');
    if (!headerName.test(name) || notInHeader.test(text)) return undefined;
    if (!notPassedOn.has(name.toLowerCase())) headers[name.toLowerCase()] = text;
  }
  return headers;
}

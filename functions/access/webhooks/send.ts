import { DeliveryError } from './delivery-error.ts';
import type { DeliveryRecord } from './delivery-record.ts';
import { type EndpointRecord, hasPrevious } from './endpoint-record.ts';
import type { Answer } from './post.ts';
import { parseRetryAfter } from './retry-schedule.ts';
import type { SecretBox } from './secret-box.ts';
import { signedHeaders } from './sign.ts';

/** Sends a signed body to where a URL leads. @throws DeliveryError */
export type Send = (url: string, headers: Readonly<Record<string, string>>, body: string) => Promise<Answer>;

export interface SendDependencies {
  readonly secrets: Pick<SecretBox, 'open'>;
  readonly send: Send;
  readonly now: () => number;
  /** W3C Trace Context of this attempt: the receiver can go on with the trace of what it is told of. */
  readonly traceparent: string;
}

/** What became of one request. */
export interface Outcome {
  /** RFC 3339. */
  readonly at: string;
  readonly durationMs: number;
  readonly status: number | null;
  readonly answer: string | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly retryAfterSeconds: number | undefined;
}

/**
 * Signs a delivery's message with every secret that counts now, and sends it. That there is no answer is an outcome, too.
 *
 * @throws when a secret cannot be opened.
 */
export async function sendMessage(
  { secrets, send, now, traceparent }: SendDependencies,
  endpoint: EndpointRecord,
  { messageId, body }: DeliveryRecord,
): Promise<Outcome> {
  const { previousSecret } = endpoint;
  const previous = hasPrevious(endpoint, now()) && previousSecret !== undefined ? [previousSecret] : [];
  const opened = await Promise.all(
    [endpoint.secret, ...previous].map((sealed) => secrets.open(endpoint.id, sealed)),
  );
  const started = now();
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'Mainstay-Webhooks/1.0',
    traceparent,
    ...signedHeaders({ messageId, at: started, body, secrets: opened }),
  };
  const measured = () => ({ at: new Date(started).toISOString(), durationMs: Math.max(0, now() - started) });
  try {
    const { status, text, retryAfter } = await send(endpoint.url, headers, body);
    const retryAfterSeconds = parseRetryAfter(retryAfter, now());
    return { ...measured(), status, answer: text, error: null, retryAfterSeconds };
  } catch (error) {
    if (!(error instanceof DeliveryError)) throw error;
    const { code, message } = error;
    const nothing = { status: null, answer: null, retryAfterSeconds: undefined };
    return { ...measured(), ...nothing, error: { code, message } };
  }
}

import { createHmac, randomBytes } from 'node:crypto';

const prefix = 'whsec_';

/** A new secret of 256 bits, in the form that libraries of Standard Webhooks take: `whsec_` and base64. */
export function generateSecret(): string {
  return prefix + randomBytes(32).toString('base64');
}

/** What is signed, and with what. */
export interface Signing {
  /** The same at every attempt. Without a full stop. */
  readonly messageId: string;
  /** The time of the attempt, in milliseconds since the epoch. */
  readonly at: number;
  /** Exactly as it is sent. */
  readonly body: string;
  /** The present secret first; each makes a signature of its own. */
  readonly secrets: readonly string[];
}

/** The headers of Standard Webhooks 1.0.0: HMAC-SHA-256 over `id.timestamp.body`, one signature for each secret. */
export function signedHeaders({ messageId, at, body, secrets }: Signing): Record<string, string> {
  const timestamp = String(Math.floor(at / 1000));
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(prefix.length), 'base64');
    const digest = createHmac('sha256', key).update(`${messageId}.${timestamp}.${body}`).digest('base64');
    return `v1,${digest}`;
  });
  return {
    'webhook-id': messageId,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  };
}

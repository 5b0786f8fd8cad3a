import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';
import { generateSecret, signedHeaders } from '../../../../functions/access/webhooks/sign.ts';

const sign = (body: string, secrets: readonly string[], at = Date.now()) =>
  signedHeaders({ messageId: 'b0a3f1c2-0000-4000-8000-000000000000', at, body, secrets });

describe('a signed message', () => {
  it('is verified by the published library, whatever is in it', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 3 }), (body) => {
        const secret = generateSecret();
        expect(new Webhook(secret).verify(body, sign(body, [secret]))).toEqual(JSON.parse(body));
      }),
      { numRuns: 50 },
    );
  });

  it('is verified with either secret while a rotation overlaps, and with no other', () => {
    const [present, previous, other] = [generateSecret(), generateSecret(), generateSecret()];
    const headers = sign('{}', [present, previous]);
    expect(headers['webhook-signature']?.split(' ')).toHaveLength(2);
    expect(new Webhook(present).verify('{}', headers)).toEqual({});
    expect(new Webhook(previous).verify('{}', headers)).toEqual({});
    expect(() => new Webhook(other).verify('{}', headers)).toThrow(WebhookVerificationError);
  });

  it('is refused when the body, the id or the time is another', () => {
    const secret = generateSecret();
    const webhook = new Webhook(secret);
    const headers = sign('{"a":1}', [secret]);
    expect(() => webhook.verify('{"a":2}', headers)).toThrow(WebhookVerificationError);
    expect(() => webhook.verify('{"a":1}', { ...headers, 'webhook-id': 'another' })).toThrow(
      WebhookVerificationError,
    );
    const later = String(Number(headers['webhook-timestamp']) + 1);
    expect(() => webhook.verify('{"a":1}', { ...headers, 'webhook-timestamp': later })).toThrow(
      WebhookVerificationError,
    );
    const stale = sign('{"a":1}', [secret], Date.now() - 3_600_000);
    expect(() => webhook.verify('{"a":1}', stale)).toThrow(WebhookVerificationError);
  });

  it('is signed with 256 bits of which no two are alike', () => {
    const secrets = Array.from({ length: 100 }, generateSecret);
    expect(new Set(secrets).size).toBe(100);
    for (const secret of secrets) {
      expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
      expect(Buffer.from(secret.slice('whsec_'.length), 'base64')).toHaveLength(32);
    }
  });
});

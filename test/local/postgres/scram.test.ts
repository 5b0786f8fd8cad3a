import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ScramServer } from '../../../local/postgres/proxy/scram.ts';

const iterations = 50;
const hmac = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest();
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest();

function verifierOf(password: string): string {
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const stored = sha256(hmac(salted, 'Client Key')).toString('base64');
  const server = hmac(salted, 'Server Key').toString('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${stored}:${server}`;
}

/** The client's part, as RFC 5802 has it. Gives whether client and server accept each other. */
function authenticate(server: ScramServer, password: string, header = 'n,,', sentHeader = header): boolean {
  const first = 'n=,r=client-nonce';
  const challenge = server.challenge(header + first);
  const attributes = new Map(challenge.split(',').map((part) => [part[0], part.slice(2)]));
  const salt = Buffer.from(attributes.get('s') ?? '', 'base64');
  const salted = pbkdf2Sync(password, salt, Number(attributes.get('i')), 32, 'sha256');
  const clientKey = hmac(salted, 'Client Key');
  const withoutProof = `c=${Buffer.from(sentHeader).toString('base64')},r=${attributes.get('r')}`;
  const message = `${first},${challenge},${withoutProof}`;
  const signature = hmac(sha256(clientKey), message);
  const proof = Buffer.from(clientKey.map((byte, index) => byte ^ (signature[index] ?? 0)));
  const final = server.conclude(`${withoutProof},p=${proof.toString('base64')}`);
  if (final === undefined) return false;
  expect(final).toBe(`v=${hmac(hmac(salted, 'Server Key'), message).toString('base64')}`);
  return true;
}

describe('SCRAM', () => {
  it('accepts the password, and no other', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 40 }),
        fc.string({ maxLength: 40 }),
        (password, other) => {
          const verifier = verifierOf(password);
          expect(authenticate(new ScramServer(verifier, 'user'), password)).toBe(true);
          expect(authenticate(new ScramServer(verifier, 'user'), other)).toBe(password === other);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('accepts nobody without a verifier it understands', () => {
    for (const verifier of [undefined, '', 'md5abcdef', 'SCRAM-SHA-256$1:AA==$AA==:AA==']) {
      expect(authenticate(new ScramServer(verifier, 'user'), '')).toBe(false);
    }
  });

  it('invents the same salt for the same unknown role', () => {
    const saltOf = (user: string) =>
      /s=([^,]+)/.exec(new ScramServer(undefined, user).challenge('n,,n=,r=x'))?.[1];
    expect(saltOf('a')).toBe(saltOf('a'));
    expect(saltOf('a')).not.toBe(saltOf('b'));
  });

  it('refuses a client that was shown other mechanisms', () => {
    const server = () => new ScramServer(verifierOf('password'), 'user');
    expect(authenticate(server(), 'password', 'y,,')).toBe(true);
    expect(authenticate(server(), 'password', 'n,,', 'y,,')).toBe(false);
    expect(() => server().challenge('p=tls-server-end-point,,n=,r=x')).toThrow();
  });

  it('takes any bytes for messages without falling over', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), (first, final) => {
        const server = new ScramServer(verifierOf('password'), 'user');
        try {
          server.challenge(first);
        } catch (error) {
          expect(String(error)).toContain('malformed SCRAM message');
        }
        expect(server.conclude(final)).toBeUndefined();
      }),
      { numRuns: 100 },
    );
  });
});

import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** The server's part of SCRAM-SHA-256 (RFC 5802, RFC 7677), without channel binding. */

export const mechanism = 'SCRAM-SHA-256';

const keyLength = 32;

interface Verifier {
  iterations: number;
  salt: string;
  storedKey: Buffer;
  serverKey: Buffer;
}

/** One exchange with one client. */
export class ScramServer {
  readonly #verifier: Verifier;
  #firstMessages = '';
  #nonce = '';
  #header = '';

  /**
   * @param verifier what `pg_authid.rolpassword` holds. Without one, or with one of another kind,
   *   the exchange goes on as if there were one, and fails at its end.
   */
  constructor(verifier: string | undefined, user: string) {
    this.#verifier = parseVerifier(verifier) ?? inventedVerifier(user);
  }

  /**
   * Takes the client's first message and gives the answer to it.
   *
   * @throws when it is malformed, or insists on channel binding.
   */
  challenge(clientFirst: string): string {
    const match = /^([ny],[^,]*,)((?:n=[^,]*,)r=([\x21-\x2b\x2d-\x7e]+).*)$/.exec(clientFirst);
    if (match === null) throw new Error('malformed SCRAM message');
    const [, header = '', bare = '', nonce = ''] = match;
    this.#header = header;
    this.#nonce = nonce + randomBytes(18).toString('base64');
    const answer = `r=${this.#nonce},s=${this.#verifier.salt},i=${this.#verifier.iterations}`;
    this.#firstMessages = `${bare},${answer}`;
    return answer;
  }

  /** Takes the client's final message; undefined when the password is wrong. */
  conclude(clientFinal: string): string | undefined {
    const match = /^(c=([^,]+),r=([^,]+)),p=([^,]+)$/.exec(clientFinal);
    if (match === null) return undefined;
    const [, withoutProof = '', binding = '', nonce = '', proofText = ''] = match;
    const proof = Buffer.from(proofText, 'base64');
    const sameHeader = Buffer.from(binding, 'base64').toString() === this.#header;
    if (!sameHeader || nonce !== this.#nonce || proof.length !== keyLength) return undefined;

    const message = `${this.#firstMessages},${withoutProof}`;
    const signature = hmac(this.#verifier.storedKey, message);
    const clientKey = Buffer.from(proof.map((byte, index) => byte ^ (signature[index] ?? 0)));
    const storedKey = createHash('sha256').update(clientKey).digest();
    if (!timingSafeEqual(storedKey, this.#verifier.storedKey)) return undefined;
    return `v=${hmac(this.#verifier.serverKey, message).toString('base64')}`;
  }
}

function parseVerifier(text: string | undefined): Verifier | undefined {
  const match = /^SCRAM-SHA-256\$(\d+):([^$]+)\$([^:]+):(.+)$/.exec(text ?? '');
  if (match === null) return undefined;
  const [, iterations, salt = '', stored = '', server = ''] = match;
  const [storedKey, serverKey] = [Buffer.from(stored, 'base64'), Buffer.from(server, 'base64')];
  if (storedKey.length !== keyLength || serverKey.length !== keyLength) return undefined;
  return { iterations: Number(iterations), salt, storedKey, serverKey };
}

const inventionKey = randomBytes(keyLength);

/** Asking twice must not tell whether a role exists: its salt stays the same. */
function inventedVerifier(user: string): Verifier {
  const salt = hmac(inventionKey, user).subarray(0, 16).toString('base64');
  return { iterations: 4096, salt, storedKey: randomBytes(keyLength), serverKey: randomBytes(keyLength) };
}

function hmac(key: Buffer, message: string): Buffer {
  return createHmac('sha256', key).update(message).digest();
}

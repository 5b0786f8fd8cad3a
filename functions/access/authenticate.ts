import type { Caller, HttpRequest } from '../shared/http-handler.ts';
import { Problem } from '../shared/problem.ts';
import { idOfKey, verifyKey } from './keys/api-keys.ts';
import type { KeyRecord } from './keys/key-store.ts';

/** How long a key that was accepted is accepted without asking the store again: the bound of a revocation. */
export const cacheMs = 30_000;
const cacheSize = 1_000;

/** How often a key that was presented was one that is remembered, in this process. */
export const keyCache = { hits: 0, misses: 0 };

export interface AuthenticatorOptions {
  readonly keys: { find(id: string): Promise<KeyRecord | undefined> };
  readonly tenants: { find(id: string): Promise<{ readonly state: 'active' | 'suspended' } | undefined> };
  readonly pepper: () => Promise<string>;
  /** Called before a key is looked up that is not known to be good; what it throws is the answer. */
  readonly beforeLookup?: (request: HttpRequest) => Promise<void>;
  readonly now?: () => number;
}

/** Nobody was let in: there is no key, or it is not a good one. */
export class Unauthorized extends Problem {
  /** Whether a key was presented at all. */
  readonly attempted: boolean;
  /** The public id in what was presented, when it has one. */
  readonly keyId: string | undefined;

  constructor(detail: string, { attempted = true, keyId }: { attempted?: boolean; keyId?: string } = {}) {
    super('unauthorized', detail, { headers: { 'www-authenticate': 'Bearer realm="mainstay"' } });
    this.attempted = attempted;
    this.keyId = keyId;
  }
}

interface Accepted {
  readonly record: KeyRecord;
  /** Of the key's tenant, where it has one. */
  readonly suspended: boolean;
  readonly until: number;
}

/**
 * Resolves `Authorization: Bearer <key>` or `x-api-key` to a caller. Keys that were accepted are remembered, with the
 * state of their tenant, for `cacheMs`; all others cost one read and one comparison each, whether a key of that id
 * exists or not. When the store or the pepper cannot be read, nobody is let in.
 *
 * @throws Unauthorized; Problem 403 for a suspended tenant, 503 when keys cannot be checked.
 */
export function authenticator(options: AuthenticatorOptions): (request: HttpRequest) => Promise<Caller> {
  const { keys, tenants, pepper, beforeLookup, now = Date.now } = options;
  const accepted = new Map<string, Accepted>();

  const lookUp = async (secret: string, key: string, id: string): Promise<Accepted> => {
    const record = await keys.find(id);
    if (!verifyKey(secret, key, record?.hash) || record === undefined) {
      throw new Unauthorized('The API key is not known.', { keyId: id });
    }
    // A key that is revoked is forgotten at once where that is seen.
    accepted.delete(id);
    const suspended = record.tenant !== undefined && (await tenants.find(record.tenant))?.state !== 'active';
    const found = { record, suspended, until: now() + cacheMs };
    if (record.state === 'active') remember(accepted, id, found);
    return found;
  };

  const resolve = async (request: HttpRequest, key: string, id: string): Promise<Accepted> => {
    const known = accepted.get(id);
    const secret = await available(pepper());
    const same = verifyKey(secret, key, known?.record.hash);
    const remembered = same && known !== undefined && known.until > now();
    keyCache[remembered ? 'hits' : 'misses'] += 1;
    if (remembered) return known;
    await beforeLookup?.(request);
    return available(lookUp(secret, key, id));
  };

  return async (request) => {
    const key = presentedKey(request);
    const id = idOfKey(key);
    if (id === undefined) throw new Unauthorized('The API key is malformed.');
    const { record, suspended } = await resolve(request, key, id);
    if (record.state === 'revoked') throw new Unauthorized('The API key has been revoked.', { keyId: id });
    if (record.validUntil !== undefined && Date.parse(record.validUntil) <= now()) {
      throw new Unauthorized('The API key has expired.', { keyId: id });
    }
    if (suspended) throw new Problem('forbidden', `The tenant ${record.tenant} is suspended.`);
    return toCaller(record);
  };
}

async function available<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw error instanceof Problem ? error : unavailable(error);
  }
}

function remember<V>(cache: Map<string, V>, id: string, value: V): void {
  const [oldest] = cache.keys();
  if (cache.size >= cacheSize && oldest !== undefined) cache.delete(oldest);
  cache.set(id, value);
}

function presentedKey({ headers }: HttpRequest): string {
  const authorization = headers.authorization;
  const bearer = /^Bearer +(\S+)$/i.exec(authorization?.trim() ?? '')?.[1];
  const plain = headers['x-api-key']?.trim() || undefined;
  if (authorization !== undefined && bearer === undefined) {
    throw new Unauthorized('The Authorization header is not of the form `Bearer <API key>`.');
  }
  if (bearer !== undefined && plain !== undefined && bearer !== plain) {
    throw new Unauthorized('The Authorization and x-api-key headers hold different keys.');
  }
  const key = bearer ?? plain;
  if (key === undefined) {
    throw new Unauthorized('Send an API key: `Authorization: Bearer <API key>`, or `x-api-key: <API key>`.', {
      attempted: false,
    });
  }
  return key;
}

function toCaller({ id, name, scopes, tier, tenant }: KeyRecord): Caller {
  return { keyId: id, name, scopes, tier, ...(tenant === undefined ? {} : { tenant }) };
}

function unavailable(cause: unknown): Problem {
  return new Problem('not-available', 'API keys cannot be checked at the moment. Try again.', {
    cause,
    headers: { 'retry-after': '1' },
  });
}

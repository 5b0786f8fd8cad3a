import { dynamo, secretsManager } from '../shared/clients.ts';
import { type EnvironmentSource, readEnvironment } from '../shared/environment.ts';
import type { Authenticate } from '../shared/http-function.ts';
import type { Caller, HttpRequest } from '../shared/http-handler.ts';
import { Problem } from '../shared/problem.ts';
import { idOfKey, verifyKey } from './api-keys.ts';
import { callerEnvironment } from './contract.ts';
import { type KeyRecord, KeyStore } from './key-store.ts';
import { pepperReader } from './pepper.ts';
import { satisfies } from './scopes.ts';

/** How long a key that was accepted is accepted without asking the store again: the bound of a revocation. */
export const cacheMs = 30_000;
const cacheSize = 1_000;

export interface AuthenticatorOptions {
  readonly store: Pick<KeyStore, 'find'>;
  readonly pepper: () => Promise<string>;
  readonly now?: () => number;
}

/** Authenticates callers by their API key, with the tables and secrets of the function's environment. */
export function apiKeys(source: EnvironmentSource): Authenticate {
  const environment = readEnvironment(callerEnvironment, source);
  return authenticator({
    store: new KeyStore(dynamo(), environment.ACCESS_TABLE),
    pepper: pepperReader(secretsManager(), environment.KEY_PEPPER_SECRET_ARN),
  });
}

/**
 * Resolves `Authorization: Bearer <key>` or `x-api-key` to a caller. Keys that were accepted are remembered for
 * `cacheMs`; all others cost one read and one comparison each, whether a key of that id exists or not. When the
 * store or the pepper cannot be read, nobody is let in.
 */
export function authenticator({ store, pepper, now = Date.now }: AuthenticatorOptions): Authenticate {
  const accepted = new Map<string, { record: KeyRecord; until: number }>();

  const resolve = async (key: string, id: string): Promise<KeyRecord> => {
    const known = accepted.get(id);
    const secret = await pepper();
    const same = verifyKey(secret, key, known?.record.hash);
    if (same && known !== undefined && known.until > now()) return known.record;
    const record = await store.find(id);
    if (!verifyKey(secret, key, record?.hash) || record === undefined) {
      throw unauthorized('The API key is not known.');
    }
    // A key that is revoked is forgotten at once where that is seen.
    accepted.delete(id);
    if (record.state === 'active') remember(accepted, id, { record, until: now() + cacheMs });
    return record;
  };

  return async (request, scope) => {
    const key = presentedKey(request);
    const id = idOfKey(key);
    if (id === undefined) throw unauthorized('The API key is malformed.');
    const record = await resolve(key, id).catch((error: unknown) => {
      throw error instanceof Problem ? error : unavailable(error);
    });
    if (record.state === 'revoked') throw unauthorized('The API key has been revoked.');
    if (record.validUntil !== undefined && Date.parse(record.validUntil) <= now()) {
      throw unauthorized('The API key has expired.');
    }
    if (!satisfies(record.scopes, scope)) throw forbidden(scope);
    return toCaller(record);
  };
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
    throw unauthorized('The Authorization header is not of the form `Bearer <API key>`.');
  }
  if (bearer !== undefined && plain !== undefined && bearer !== plain) {
    throw unauthorized('The Authorization and x-api-key headers hold different keys.');
  }
  const key = bearer ?? plain;
  if (key === undefined) {
    throw unauthorized('Send an API key: `Authorization: Bearer <API key>`, or `x-api-key: <API key>`.');
  }
  return key;
}

function toCaller({ id, name, scopes, tenant }: KeyRecord): Caller {
  return { keyId: id, name, scopes, ...(tenant === undefined ? {} : { tenant }) };
}

function unauthorized(detail: string): Problem {
  return new Problem('unauthorized', detail, {
    headers: { 'www-authenticate': 'Bearer realm="mainstay"' },
  });
}

function forbidden(scope: string): Problem {
  return new Problem('forbidden', `This needs a key with the scope \`${scope}\`.`, {
    extensions: { requiredScope: scope },
    headers: { 'www-authenticate': `Bearer realm="mainstay", error="insufficient_scope", scope="${scope}"` },
  });
}

function unavailable(cause: unknown): Problem {
  return new Problem('not-available', 'API keys cannot be checked at the moment. Try again.', {
    cause,
    headers: { 'retry-after': '1' },
  });
}

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import type { Principal } from './operation.ts';

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  /** Roles have one, the operator has none. */
  sessionToken?: string;
  /** When the credentials of an assumed session end; those of {@link CredentialStore.forRole} do not. */
  expiration?: Date;
}

/** What {@link CredentialStore.resolve} finds. */
export interface ResolvedCredentials {
  secretAccessKey: string;
  principal: Principal;
  /** Milliseconds since the epoch, for sessions that end. */
  expiresAt?: number;
}

const tokenSchema = z.object({
  role: z.string().startsWith('arn:'),
  session: z.string().min(1),
  expires: z.number().optional(),
});

/**
 * Credentials of everyone who calls the emulated AWS. One random seed is stored; keys, secrets and
 * session tokens are derived from it. A session token says, authenticated by the seed, whose it is,
 * so nothing grows with the number of sessions, and credentials stay valid across restarts.
 */
export class CredentialStore {
  readonly #seed: Buffer;
  readonly #accountId: string;

  private constructor(seed: Buffer, accountId: string) {
    this.#seed = seed;
    this.#accountId = accountId;
  }

  /** Opens the store in a directory, whose `credentials.json` (mode 0600) is made on first use. */
  static open(directory: string, accountId = '000000000000'): CredentialStore {
    return new CredentialStore(readOrCreateSeed(directory), accountId);
  }

  /** The person at the keyboard: allowed everything. Stable for the life of the state directory. */
  operator(): Credentials {
    return {
      accessKeyId: `AKIA${this.#base32('operator id')}`,
      secretAccessKey: this.#base64('operator secret'),
    };
  }

  /** Credentials of a role without an end; the same for the same role and session name. */
  forRole(roleArn: string, sessionName = 'mainstay'): Credentials {
    return this.#session({ role: roleArn, session: sessionName });
  }

  /** Credentials of a role that end, as `sts:AssumeRole` gives them. */
  forSession(roleArn: string, sessionName: string, expiration: Date): Credentials {
    const session = { role: roleArn, session: sessionName, expires: expiration.getTime() };
    return { ...this.#session(session), expiration };
  }

  /** Finds the secret and the owner of an access key, or `undefined` when the key or its token are not ours. */
  resolve(accessKeyId: string, sessionToken?: string): ResolvedCredentials | undefined {
    if (sessionToken === undefined) {
      const operator = this.operator();
      if (operator.accessKeyId !== accessKeyId) return undefined;
      const arn = `arn:aws:iam::${this.#accountId}:user/operator`;
      return { secretAccessKey: operator.secretAccessKey, principal: { kind: 'operator', arn } };
    }
    const session = this.#readToken(sessionToken);
    if (!session) return undefined;
    const credentials = this.#session(session);
    if (credentials.accessKeyId !== accessKeyId) return undefined;
    return {
      secretAccessKey: credentials.secretAccessKey,
      principal: rolePrincipal(session.role, session.session),
      ...(session.expires === undefined ? {} : { expiresAt: session.expires }),
    };
  }

  #session(session: z.infer<typeof tokenSchema>): Credentials {
    const payload = Buffer.from(JSON.stringify(session)).toString('base64url');
    const sessionToken = `${payload}.${this.#mac(`token ${payload}`).toString('base64url')}`;
    return {
      accessKeyId: `ASIA${this.#base32(`id ${payload}`)}`,
      secretAccessKey: this.#base64(`secret ${payload}`),
      sessionToken,
    };
  }

  #readToken(token: string): z.infer<typeof tokenSchema> | undefined {
    const [payload, mac] = token.split('.');
    if (!payload || !mac) return undefined;
    const expected = this.#mac(`token ${payload}`);
    const given = Buffer.from(mac, 'base64url');
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
    return tokenSchema.parse(JSON.parse(Buffer.from(payload, 'base64url').toString()));
  }

  #mac(label: string): Buffer {
    return createHmac('sha256', this.#seed).update(label).digest();
  }

  #base32(label: string): string {
    return Array.from(
      this.#mac(label).subarray(0, 16),
      (byte) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[byte % 32],
    ).join('');
  }

  #base64(label: string): string {
    return this.#mac(label).toString('base64').slice(0, 40);
  }
}

/** The principal of a role's session, as STS names it. */
export function rolePrincipal(roleArn: string, sessionName = 'mainstay'): Principal & { kind: 'role' } {
  const [, , , , account, path = ''] = roleArn.split(':');
  const name = path.split('/').at(-1);
  return { kind: 'role', roleArn, arn: `arn:aws:sts::${account}:assumed-role/${name}/${sessionName}` };
}

function readOrCreateSeed(directory: string): Buffer {
  const path = join(directory, 'credentials.json');
  if (existsSync(path)) {
    try {
      const { seed } = z.object({ seed: z.base64() }).parse(JSON.parse(readFileSync(path, 'utf8')));
      return Buffer.from(seed, 'base64');
    } catch (cause) {
      throw new Error(`${path} cannot be read; remove it to get new credentials`, { cause });
    }
  }
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const seed = randomBytes(32);
  const temporary = `${path}.new`;
  writeFileSync(temporary, JSON.stringify({ seed: seed.toString('base64') }), { mode: 0o600 });
  renameSync(temporary, path);
  return seed;
}

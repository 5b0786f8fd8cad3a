import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import * as z from 'zod';
import { StateFile } from '../aws/state-file.ts';
import { type Key, keySchema } from './key.ts';
import { kmsError } from './kms-error.ts';

const stateSchema = z.object({
  keys: z.array(keySchema),
  /** Alias (`alias/…`) to key id. */
  aliases: z.record(z.string(), z.string()),
});

/** What a key is created as. */
export interface KeyDefinition {
  /** Identifies the key across starts, for example its logical id. */
  name: string;
  /** Default `SYMMETRIC_DEFAULT`. Cannot change. */
  spec?: 'SYMMETRIC_DEFAULT' | 'HMAC_256';
  /** Default false. Cannot change. */
  multiRegion?: boolean;
  /** Default empty. */
  description?: string;
  /** Default true. */
  enabled?: boolean;
  /** Automatic rotation, for symmetric keys only; recorded, the material stays. Default false. */
  rotation?: boolean;
  /** Key policy; default the account's root with `kms:*`, which leaves the key to IAM policies. */
  policy?: unknown;
  /** Each `alias/…`; an alias moves here from another key. */
  aliases?: readonly string[];
}

/** Keys and aliases on disk (mode 0600). */
export class KeyStore {
  readonly #file: StateFile<z.infer<typeof stateSchema>>;
  readonly #accountId: string;
  readonly #region: string;

  constructor(directory: string, accountId: string, region: string) {
    this.#file = new StateFile(join(directory, 'kms.json'), stateSchema, { keys: [], aliases: {} });
    this.#accountId = accountId;
    this.#region = region;
  }

  /** Every key, oldest first. */
  keys(): readonly Key[] {
    return this.#file.state.keys;
  }

  /** Every alias with its key. */
  aliases(): { name: string; arn: string; key: Key }[] {
    return Object.entries(this.#file.state.aliases).map(([name, keyId]) => ({
      name,
      arn: `${this.#prefix()}:${name}`,
      key: this.find(keyId),
    }));
  }

  aliasesOf(key: Key): string[] {
    return this.aliases()
      .filter((alias) => alias.key === key)
      .map((alias) => alias.name);
  }

  /** Finds a key by id, ARN, alias or alias ARN. Throws `NotFoundException`. */
  find(reference: string): Key {
    const prefix = `${this.#prefix()}:`;
    const local = reference.startsWith(prefix)
      ? reference.slice(prefix.length).replace(/^key\//, '')
      : reference;
    const keyId = local.startsWith('alias/') ? this.#file.state.aliases[local] : local;
    const key = this.#file.state.keys.find((candidate) => candidate.keyId === keyId);
    if (key) return key;
    if (local.startsWith('alias/')) throw kmsError.notFound(`Alias ${prefix}${local}`);
    throw kmsError.notFound(
      reference.startsWith('arn:') ? `Key '${reference}'` : `Key '${prefix}key/${reference}'`,
    );
  }

  /** Creates the key of that name, or brings what may change up to date. Throws when what may not would change. */
  async ensure(definition: KeyDefinition): Promise<Key> {
    const { name, spec = 'SYMMETRIC_DEFAULT', multiRegion = false } = definition;
    const settings = {
      description: definition.description ?? '',
      rotation: definition.rotation ?? false,
      policy: z.json().parse(definition.policy ?? defaultPolicy(this.#accountId)),
    };
    if (settings.rotation && spec === 'HMAC_256')
      throw new Error(`The HMAC key ${name} cannot be rotated automatically`);
    const existing = this.#file.state.keys.find((key) => key.name === name);
    if (existing && (existing.spec !== spec || existing.multiRegion !== multiRegion)) {
      throw new Error(`The key ${name} exists with another spec or region scope, which cannot change`);
    }
    const enabled = definition.enabled ?? true;
    const key =
      existing ??
      this.#create({
        name,
        spec,
        multiRegion,
        enabled,
        definedEnabled: enabled,
        replicaArns: [],
        ...settings,
      });
    // What somebody enabled or disabled by hand stays so until the definition changes.
    if (key.definedEnabled !== enabled) key.enabled = enabled;
    Object.assign(key, { ...settings, definedEnabled: enabled });
    for (const alias of definition.aliases ?? []) await this.ensureAlias(alias, key.keyId);
    await this.#file.save();
    return key;
  }

  /**
   * Makes a replica of another region's key here: the same id and material, with a description, a policy and a state of
   * its own. Throws `AlreadyExistsException` when there is one.
   */
  async addReplica(primary: Key, settings: Pick<Key, 'description' | 'policy'>): Promise<Key> {
    const { name, keyId, spec, rotation, material } = primary;
    if (this.#file.state.keys.some((key) => key.keyId === keyId)) throw kmsError.alreadyExists(keyId);
    const replica: Key = {
      ...{ name, keyId, spec, rotation, material, ...settings },
      arn: `${this.#prefix()}:key/${keyId}`,
      multiRegion: true,
      enabled: true,
      definedEnabled: true,
      createdAt: Date.now(),
      primaryArn: primary.arn,
      replicaArns: [],
    };
    this.#file.state.keys.push(replica);
    await this.#file.save();
    return replica;
  }

  /** Points an alias (`alias/…`) at a key, given by id or ARN. */
  async ensureAlias(name: string, reference: string): Promise<void> {
    if (!/^alias\/[\w/-]{1,250}$/.test(name)) throw new Error(`An alias is called alias/…, not ${name}`);
    this.#file.state.aliases[name] = this.find(reference).keyId;
    await this.#file.save();
  }

  /** Stores what was changed in a key. */
  save(): Promise<void> {
    return this.#file.save();
  }

  #create(settings: Omit<Key, 'keyId' | 'arn' | 'createdAt' | 'material'>): Key {
    const keyId = settings.multiRegion ? `mrk-${randomBytes(16).toString('hex')}` : randomUUID();
    const key: Key = {
      ...settings,
      keyId,
      arn: `${this.#prefix()}:key/${keyId}`,
      createdAt: Date.now(),
      material: randomBytes(32).toString('base64'),
    };
    this.#file.state.keys.push(key);
    return key;
  }

  #prefix(): string {
    return `arn:aws:kms:${this.#region}:${this.#accountId}`;
  }
}

/** The account's root with `kms:*`, which leaves the key to IAM policies. */
export function defaultPolicy(accountId: string): Key['policy'] {
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { AWS: `arn:aws:iam::${accountId}:root` },
        Action: 'kms:*',
        Resource: '*',
      },
    ],
  };
}

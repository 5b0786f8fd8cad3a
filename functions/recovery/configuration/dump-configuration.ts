import type { SSMClient } from '@aws-sdk/client-ssm';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { type Clock, isoTime } from '../clock.ts';
import { BackupNotRunningError } from '../errors.ts';
import type { BackupId } from '../ids.ts';
import { canonicalJson } from '../manifest/manifest.ts';
import { backupPrefix } from '../objects/object-keys.ts';
import { type StorePlace, storeObject } from '../objects/store-object.ts';
import type { StoredObject } from '../workflow.ts';
import type { ConfigurationCatalog } from './configuration-catalog.ts';
import { type Configuration, itemSchema, parameterSchema } from './document.ts';
import { readParameters } from './read-parameters.ts';
import { type Item, type PlatformTables, readTables } from './read-tables.ts';
import { redact } from './redact.ts';

export interface ReadConfigurationDependencies {
  readonly ssm: SSMClient;
  readonly dynamo: DynamoDBDocumentClient;
  readonly tables: PlatformTables;
  readonly parameterPaths: readonly string[];
  readonly clock: Clock;
}

/** Reads the configuration as it is now, and leaves secrets out. @throws ObjectTooLargeError, DependencyError */
export async function readConfiguration(deps: ReadConfigurationDependencies): Promise<Configuration> {
  const at = isoTime(deps.clock.now());
  const parameterPaths = [...deps.parameterPaths];
  const read = await readParameters(deps.ssm, parameterPaths);
  const secure = read.filter(({ type }) => type === 'SecureString').length;
  let redacted = secure;
  // Item by item: what the rule says of one never depends on what stands beside it.
  const clean = (value: unknown): unknown => {
    const result = redact(value);
    redacted += result.count;
    return result.value;
  };
  const cleanItem = (item: Item): Item => itemSchema.parse(clean(item));
  const parameters = read.map((parameter) =>
    parameter.type === 'SecureString' ? parameter : parameterSchema.parse(clean(parameter)),
  );
  const tables = await readTables(deps.dynamo, deps.tables);
  return {
    format: 'mainstay.configuration',
    formatVersion: 1,
    at,
    parameterPaths,
    parameters,
    tables: {
      tenants: tables.tenants.map(cleanItem),
      keys: tables.keys.map(cleanItem),
      addressLists: tables.addressLists.map(cleanItem),
      webhookEndpoints: tables.webhookEndpoints.map(cleanItem),
      shards: tables.shards.map(cleanItem),
      automation: tables.automation.map(cleanItem),
    },
    redacted,
  };
}

/**
 * Stores the configuration as an object like any other and notes it.
 *
 * @returns what is noted: an attempt that was read back already stands.
 * @throws DependencyError
 */
export async function dumpConfiguration(
  deps: {
    readonly place: StorePlace;
    readonly configuration: ConfigurationCatalog;
    /** Names this attempt in the key of its object. */
    readonly attempt: string;
  },
  backupId: BackupId,
  document: Configuration,
): Promise<StoredObject> {
  const { place, configuration, attempt } = deps;
  const extension = place.compression.format === 'zstd' ? 'zst' : 'gz';
  const { object } = await storeObject(place, {
    kind: 'configuration',
    key: `${backupPrefix(backupId)}configuration-${attempt}.json.${extension}.enc`,
    context: {
      'mainstay:backup': backupId,
      'mainstay:component': 'configuration',
      'mainstay:kind': 'configuration',
    },
    source: textOf(document),
  });
  await configuration.put({ at: document.at, object, redacted: document.redacted });
  const record = await configuration.get();
  if (record === undefined) throw new BackupNotRunningError(`Backup ${backupId} is not running any more.`);
  return record.object;
}

async function* textOf(document: Configuration): AsyncGenerator<Buffer> {
  yield Buffer.from(canonicalJson(document), 'utf8');
}

import type { DynaliteAction } from './dynalite-actions.ts';
import type { DynamoEngine } from './engine.ts';

type Input = Record<string, unknown>;

/** What a request asks of one table. */
export interface TableRequest {
  readonly action: DynaliteAction;
  readonly table: {
    /** As the request names it: by name or ARN. */
    readonly named: string;
    /** Its plain name. */
    readonly plain: string;
  };
  readonly input: Input;
}

/**
 * The values of the condition key `dynamodb:LeadingKeys`: the partition keys that a request names, of the table or of the
 * index it queries; numbers and bytes as they are on the wire. `undefined` where it names none, as a scan does, or is no
 * valid request: that one fails when it runs.
 */
export async function leadingKeys(
  engine: DynamoEngine,
  request: TableRequest,
): Promise<string[] | undefined> {
  const { action, input } = request;
  if (action === 'Scan') return undefined;
  const table = await orUndefined(() => engine.table(request.table.plain));
  const index = table?.GlobalSecondaryIndexes?.find(({ IndexName }) => IndexName === input.IndexName);
  const schema = input.IndexName === undefined ? table?.KeySchema : index?.KeySchema;
  const partition = schema?.find(({ KeyType }) => KeyType === 'HASH')?.AttributeName;
  if (partition === undefined) return undefined;
  const values =
    action === 'Query'
      ? ((await orUndefined(() => engine.keyConditions(input)))?.[partition] ?? [])
      : keysIn(request).map((key) => key[partition]);
  const found = values.flatMap(textOf);
  return found.length === 0 ? undefined : [...new Set(found)];
}

/** The keys, or items with their keys, that a request names. */
function keysIn({ action, table, input }: TableRequest): Input[] {
  if (action === 'PutItem') return records([input.Item]);
  if (action !== 'BatchGetItem' && action !== 'BatchWriteItem') return records([input.Key]);
  const ofTable = records([input.RequestItems]).flatMap((tables) => tables[table.named]);
  if (action === 'BatchGetItem') return records(records(ofTable).flatMap(({ Keys }) => Keys));
  return records(ofTable.flat()).flatMap(({ PutRequest, DeleteRequest }) =>
    records([
      ...records([PutRequest]).map(({ Item }) => Item),
      ...records([DeleteRequest]).map(({ Key }) => Key),
    ]),
  );
}

/** The text of an attribute's value that can be a key: `{ S }`, `{ N }` or `{ B }`. */
function textOf(value: unknown): string[] {
  return records([value])
    .flatMap(({ S, N, B }) => [S, N, B instanceof Uint8Array ? Buffer.from(B).toString('base64') : B])
    .filter((text) => typeof text === 'string');
}

const records = (values: readonly unknown[]): Input[] => values.filter(isRecord);

function isRecord(value: unknown): value is Input {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

async function orUndefined<T>(ask: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch {
    return undefined;
  }
}

import { readJsonInput, writeJson } from '../aws/json-protocol.ts';
import { type Authorization, AwsError, type Operation, type OperationContext } from '../aws/operation.ts';
import type { Consumption } from './consumption.ts';
import type { DynaliteAction } from './dynalite-actions.ts';
import type { DynamoEngine } from './engine.ts';
import { leadingKeys } from './leading-keys.ts';

type Input = Record<string, unknown>;

/** The ARN of a table that a request names, by name or ARN. */
export function tableArn(name: unknown, { accountId, region }: OperationContext): string {
  return `arn:aws:dynamodb:${region}:${accountId}:table/${plainName(name)}`;
}

/** What a caller needs on the customer key of a table. */
type KeyUse = (table: string, context: OperationContext) => Authorization[];

/**
 * Reads and writes of items. Each needs the action of its own name on each table or index it touches,
 * and the table's key.
 */
export function dataOperations(
  engine: DynamoEngine,
  keyUse: KeyUse,
  consumed: Consumption = () => undefined,
): Record<string, Operation> {
  const use = async (
    name: DynaliteAction,
    table: unknown,
    given: Input,
    context: OperationContext,
  ): Promise<Authorization[]> => {
    const arn = tableArn(table, context);
    const { IndexName: index } = given;
    const resource = index === undefined ? arn : `${arn}/index/${String(index)}`;
    const plain = String(plainName(table));
    const keys = await leadingKeys(engine, {
      action: name,
      table: { named: String(table), plain },
      // dynalite reads the conditions of a query, and takes only what goes over the wire.
      input: name === 'Query' ? onTheWire(given) : given,
    });
    const known = keys === undefined ? {} : { context: { 'dynamodb:LeadingKeys': keys } };
    return [{ action: `dynamodb:${name}`, resource, ...known }, ...keyUse(plain, context)];
  };
  const onTable = (name: DynaliteAction): Operation => ({
    authorize: (input, context) => use(name, input.TableName, input, context),
    run: (input) => execute(engine, name, input, consumed),
  });
  const onTables = (name: DynaliteAction): Operation => ({
    authorize: async (input, context) => {
      const tables = Object.keys(isRecord(input.RequestItems) ? input.RequestItems : {});
      return (await Promise.all(tables.map((table) => use(name, table, input, context)))).flat();
    },
    run: (input) => execute(engine, name, input, consumed),
  });
  return {
    GetItem: onTable('GetItem'),
    PutItem: onTable('PutItem'),
    UpdateItem: onTable('UpdateItem'),
    DeleteItem: onTable('DeleteItem'),
    Query: onTable('Query'),
    Scan: onTable('Scan'),
    BatchGetItem: onTables('BatchGetItem'),
    BatchWriteItem: onTables('BatchWriteItem'),
  };
}

async function execute(
  engine: DynamoEngine,
  name: DynaliteAction,
  given: Input,
  consumed: Consumption,
): Promise<Input> {
  const { ReturnValuesOnConditionCheckFailure: returned, ...input } = onTheWire(given);
  try {
    const answer = await engine.execute(name, { ReturnConsumedCapacity: 'TOTAL', ...input });
    consumed(name, answer);
    if (input.ReturnConsumedCapacity !== undefined) return answer;
    const { ConsumedCapacity: _, ...others } = answer;
    return others;
  } catch (error) {
    const failed = error instanceof AwsError && error.code === 'ConditionalCheckFailedException';
    if (!failed || returned !== 'ALL_OLD') throw error;
    throw new AwsError(error.code, error.message, error.statusCode, await currentItem(engine, input));
  }
}

/** In-process callers may pass bytes, and anybody the ARN of a table; dynalite wants texts and plain names. */
function onTheWire(given: Input): Input {
  const input = readJsonInput(Buffer.from(writeJson(given)));
  return input.TableName === undefined ? input : { ...input, TableName: plainName(input.TableName) };
}

/** The item that made a condition fail, as `ReturnValuesOnConditionCheckFailure` asks for it. */
async function currentItem(engine: DynamoEngine, input: Input): Promise<Input> {
  const { KeySchema } = await engine.table(String(input.TableName));
  const source = isRecord(input.Key) ? input.Key : isRecord(input.Item) ? input.Item : {};
  const Key = Object.fromEntries(
    KeySchema.map(({ AttributeName }) => [AttributeName, source[AttributeName]]),
  );
  const { Item } = await engine.execute('GetItem', { TableName: input.TableName, Key, ConsistentRead: true });
  return Item === undefined ? {} : { Item };
}

function plainName(name: unknown): unknown {
  return typeof name === 'string' ? name.replace(/^arn:aws:dynamodb:[^:]*:[^:]*:table\//, '') : name;
}

function isRecord(value: unknown): value is Input {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

import { readJsonInput, writeJson } from '../aws/json-protocol.ts';
import { type Authorization, AwsError, type Operation, type OperationContext } from '../aws/operation.ts';
import type { DynaliteAction } from './dynalite-actions.ts';
import type { DynamoEngine } from './engine.ts';

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
export function dataOperations(engine: DynamoEngine, keyUse: KeyUse): Record<string, Operation> {
  const use = (
    name: DynaliteAction,
    table: unknown,
    context: OperationContext,
    index?: unknown,
  ): Authorization[] => {
    const arn = tableArn(table, context);
    const resource = index === undefined ? arn : `${arn}/index/${String(index)}`;
    return [{ action: `dynamodb:${name}`, resource }, ...keyUse(String(plainName(table)), context)];
  };
  const onTable = (name: DynaliteAction): Operation => ({
    authorize: ({ TableName }, context) => use(name, TableName, context),
    run: (input) => execute(engine, name, input),
  });
  const onTableOrIndex = (name: DynaliteAction): Operation => ({
    authorize: ({ TableName, IndexName }, context) => use(name, TableName, context, IndexName),
    run: (input) => execute(engine, name, input),
  });
  const onTables = (name: DynaliteAction): Operation => ({
    authorize: ({ RequestItems }, context) =>
      Object.keys(isRecord(RequestItems) ? RequestItems : {}).flatMap((table) => use(name, table, context)),
    run: (input) => execute(engine, name, input),
  });
  return {
    GetItem: onTable('GetItem'),
    PutItem: onTable('PutItem'),
    UpdateItem: onTable('UpdateItem'),
    DeleteItem: onTable('DeleteItem'),
    Query: onTableOrIndex('Query'),
    Scan: onTableOrIndex('Scan'),
    BatchGetItem: onTables('BatchGetItem'),
    BatchWriteItem: onTables('BatchWriteItem'),
  };
}

async function execute(engine: DynamoEngine, name: DynaliteAction, given: Input): Promise<Input> {
  // In-process callers may pass bytes; dynalite wants what goes over the wire.
  const { ReturnValuesOnConditionCheckFailure: returned, ...input } = readJsonInput(
    Buffer.from(writeJson(given)),
  );
  if (input.TableName !== undefined) input.TableName = plainName(input.TableName);
  try {
    return await engine.execute(name, input);
  } catch (error) {
    const failed = error instanceof AwsError && error.code === 'ConditionalCheckFailedException';
    if (!failed || returned !== 'ALL_OLD') throw error;
    throw new AwsError(error.code, error.message, error.statusCode, await currentItem(engine, input));
  }
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

import type { Table, TableIndex } from 'dynalite/types';

interface KeyElement {
  AttributeName: string;
  KeyType: string;
}

interface IndexDefinition {
  IndexName: string;
  KeySchema: readonly KeyElement[];
  Projection: { ProjectionType?: string; NonKeyAttributes?: readonly string[] };
}

/** What a table is created as; members are those of `AWS::DynamoDB::GlobalTable`. On-demand billing is assumed. */
export interface TableDefinition {
  TableName: string;
  /** Fixed once the table exists. */
  KeySchema: readonly KeyElement[];
  AttributeDefinitions: readonly { AttributeName: string; AttributeType: string }[];
  /** May be added and removed later. */
  GlobalSecondaryIndexes?: readonly IndexDefinition[];
  TimeToLiveSpecification?: { AttributeName?: string; Enabled: boolean | string };
  /** Default false. */
  pointInTimeRecovery?: boolean;
  /** Default false. */
  deletionProtection?: boolean;
  /** Id, alias or ARN of a customer key; default AWS's own, which asks nobody. */
  kmsKeyId?: string;
  /** Resource policy; default none. */
  policy?: unknown;
}

/** The input of `CreateTable` for a definition. */
export function createTableInput(definition: TableDefinition): Record<string, unknown> {
  return {
    TableName: definition.TableName,
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema: definition.KeySchema,
    AttributeDefinitions: definition.AttributeDefinitions,
    ...(definition.GlobalSecondaryIndexes?.length
      ? { GlobalSecondaryIndexes: definition.GlobalSecondaryIndexes.map(indexInput) }
      : {}),
  };
}

/**
 * A stored table changed to what its definition says, or `undefined` when it says the same already.
 * Throws an `Error` when the key of the table would change.
 */
export function changedTable(table: Table, definition: TableDefinition): Table | undefined {
  const { TableName } = definition;
  if (describeKey(table, table.KeySchema) !== describeKey(definition, definition.KeySchema)) {
    throw new Error(
      `The table ${TableName} exists with another key, which cannot change; remove its data first`,
    );
  }
  const wanted = definition.GlobalSecondaryIndexes ?? [];
  const stored = table.GlobalSecondaryIndexes ?? [];
  const describe = (owner: TableDefinition | Table) => (index: IndexDefinition | TableIndex) =>
    JSON.stringify([index.IndexName, describeKey(owner, index.KeySchema), projection(index)]);
  const before = stored.map(describe(table)).sort();
  const after = wanted.map(describe(definition)).sort();
  if (before.join() === after.join()) return undefined;
  const { GlobalSecondaryIndexes: _, ...rest } = table;
  const indexes = wanted.map((index) => ({
    ...indexInput(index),
    IndexArn: `${String(table.TableArn)}/index/${index.IndexName}`,
    IndexStatus: 'ACTIVE',
    IndexSizeBytes: 0,
    ItemCount: 0,
    ProvisionedThroughput: { ReadCapacityUnits: 0, WriteCapacityUnits: 0, NumberOfDecreasesToday: 0 },
  }));
  return {
    ...rest,
    AttributeDefinitions: definition.AttributeDefinitions.map((attribute) => ({ ...attribute })),
    ...(indexes.length > 0 ? { GlobalSecondaryIndexes: indexes } : {}),
  };
}

function indexInput(index: IndexDefinition): TableIndex {
  return {
    IndexName: index.IndexName,
    KeySchema: index.KeySchema.map((element) => ({ ...element })),
    Projection: projection(index),
  };
}

function projection({ Projection }: IndexDefinition | TableIndex): TableIndex['Projection'] {
  const { ProjectionType = 'ALL', NonKeyAttributes } = Projection;
  return { ProjectionType, ...(NonKeyAttributes?.length ? { NonKeyAttributes: [...NonKeyAttributes] } : {}) };
}

function describeKey(
  owner: Pick<TableDefinition | Table, 'AttributeDefinitions'>,
  key: readonly KeyElement[],
): string {
  const types = new Map(
    owner.AttributeDefinitions.map((attribute) => [attribute.AttributeName, attribute.AttributeType]),
  );
  return JSON.stringify(
    key.map(({ AttributeName, KeyType }) => [AttributeName, KeyType, types.get(AttributeName)]),
  );
}

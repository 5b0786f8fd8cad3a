import * as z from 'zod';
import { defineOperation } from '../aws/define-operation.ts';
import type { Operation } from '../aws/operation.ts';
import { tableArn } from './data-operations.ts';
import type { TableSettings } from './dynamodb-service.ts';
import type { DynamoEngine } from './engine.ts';

const tableSchema = z.strictObject({ TableName: z.string().min(1) });
const listSchema = z.strictObject({
  ExclusiveStartTableName: z.string().optional(),
  Limit: z.int().min(1).max(100).default(100),
});

/** Operations that look at tables. Tables come from the template, so nothing here changes one. */
export function tableOperations(
  engine: DynamoEngine,
  settings: ReadonlyMap<string, TableSettings>,
): Record<string, Operation> {
  const onTable = (
    name: string,
    run: (table: Record<string, unknown>, own: TableSettings) => unknown,
  ): Operation =>
    defineOperation(`dynamodb:${name}`, tableSchema, {
      authorize: ({ TableName }, context) => [
        { action: `dynamodb:${name}`, resource: tableArn(TableName, context) },
      ],
      run: async ({ TableName }) => {
        const local = TableName.split('/').at(-1) ?? TableName;
        return run(await engine.table(local), settings.get(local) ?? {});
      },
    });

  return {
    DescribeTable: onTable('DescribeTable', (table, own) => ({
      Table: { ...table, DeletionProtectionEnabled: own.deletionProtection ?? false },
    })),
    DescribeTimeToLive: onTable('DescribeTimeToLive', (_, { TimeToLiveSpecification: ttl }) => ({
      TimeToLiveDescription:
        ttl && String(ttl.Enabled) === 'true'
          ? { TimeToLiveStatus: 'ENABLED', AttributeName: ttl.AttributeName }
          : { TimeToLiveStatus: 'DISABLED' },
    })),
    DescribeContinuousBackups: onTable('DescribeContinuousBackups', (table, own) => ({
      ContinuousBackupsDescription: {
        ContinuousBackupsStatus: 'ENABLED',
        PointInTimeRecoveryDescription: own.pointInTimeRecovery
          ? {
              PointInTimeRecoveryStatus: 'ENABLED',
              RecoveryPeriodInDays: 35,
              EarliestRestorableDateTime: table.CreationDateTime,
              LatestRestorableDateTime: Math.floor(Date.now() / 1000) - 300,
            }
          : { PointInTimeRecoveryStatus: 'DISABLED' },
      },
    })),
    ListTables: defineOperation('dynamodb:ListTables', listSchema, {
      authorize: () => [{ action: 'dynamodb:ListTables', resource: '*' }],
      run: async ({ ExclusiveStartTableName: start, Limit }) => {
        const names = (await engine.tables()).map((table) => table.TableName).sort();
        const after = start === undefined ? names : names.filter((name) => name > start);
        const listed = after.slice(0, Limit);
        return {
          TableNames: listed,
          ...(after.length > listed.length ? { LastEvaluatedTableName: listed.at(-1) } : {}),
        };
      },
    }),
  };
}

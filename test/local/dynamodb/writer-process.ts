/** Writes items as fast as it can and says each one it was promised, until it is killed. */
import { DynamoDbService } from '../../../local/dynamodb/dynamodb-service.ts';
import { itemsTable, itemsTableDefinition } from './items-table.ts';

const directory = process.argv[2] ?? '';
const service = new DynamoDbService({ directory, authorizer: { setResourcePolicy: () => undefined } });
await service.start();
await service.ensureTable(itemsTableDefinition);
const context = {
  principal: { kind: 'operator', arn: '' },
  region: '',
  accountId: '',
  requestId: '',
} as const;
for (let version = 0; ; version += 1) {
  const number = version % 50;
  // Every write moves an item within the index.
  const Item = {
    pk: { S: `item-${number}` },
    sk: { S: 'META' },
    version: { N: String(version) },
    gsi1pk: { S: 'LIST' },
    gsi1sk: { S: `${version}`.padStart(9, '0') },
  };
  await service.api.operations.PutItem?.run({ TableName: itemsTable, Item }, context);
  process.stdout.write(`${number} ${version}\n`);
}

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { systemClock } from '../../../../functions/recovery/clock.ts';
import { differences } from '../../../../functions/recovery/configuration/diff.ts';
import {
  type Configuration,
  configurationSchema,
} from '../../../../functions/recovery/configuration/document.ts';
import { readConfiguration } from '../../../../functions/recovery/configuration/dump-configuration.ts';
import { applyScript } from '../../../../functions/recovery/configuration/script.ts';
import { DynamoDbService } from '../../../../local/dynamodb/dynamodb-service.ts';
import { SsmService } from '../../../../local/ssm/ssm-service.ts';
import { type EmulatedAws, startAws } from '../../../local/aws/emulated-aws.ts';
import { itemsTable, itemsTableDefinition } from '../../../local/dynamodb/items-table.ts';

jest.setTimeout(30_000);

let aws: EmulatedAws;
let ssm: SSMClient;
let dynamo: DynamoDBDocumentClient;
let service: DynamoDbService;

beforeAll(async () => {
  aws = await startAws(async ({ directory, authorizer }) => {
    service = new DynamoDbService({ directory, authorizer });
    await service.start();
    await service.ensureTable(itemsTableDefinition);
    return [service.api, new SsmService({ directory }).api];
  });
  ssm = new SSMClient(aws.client());
  dynamo = DynamoDBDocumentClient.from(new DynamoDBClient(aws.client()));
});
afterAll(async () => {
  ssm?.destroy();
  dynamo?.destroy();
  await aws?.endpoint.stop();
  await service?.stop();
  await aws?.close();
});

const tables = {
  access: itemsTable,
  limits: itemsTable,
  webhooks: itemsTable,
  shards: itemsTable,
  recovery: itemsTable,
};
const read = (): Promise<Configuration> =>
  readConfiguration({ ssm, dynamo, tables, parameterPaths: ['/mainstay/dev'], clock: systemClock });
const put = (Item: Record<string, unknown>) => dynamo.send(new PutCommand({ TableName: itemsTable, Item }));
const set = (Name: string, Value: string) =>
  ssm.send(new PutParameterCommand({ Name, Value, Type: 'String', Overwrite: true }));

const tenant = {
  pk: 'TENANT#acme',
  sk: 'TENANT',
  gsi1pk: 'TENANTS',
  gsi1sk: 'acme',
  id: 'acme',
  tier: 'free',
};

describe('the configuration', () => {
  it('holds parameters below its paths and what is set in the tables, and nothing else or secret', async () => {
    for (let n = 0; n < 12; n++) await set(`/mainstay/dev/configuration/section${n}`, JSON.stringify({ n }));
    await set('/mainstay/dev/app/db-password', 'hunter2');
    await set('/mainstay/developer/other', 'x');
    await put({ ...tenant, keys: new Set(['k7q2mzt4', 'aaaaaaaa']) });
    await put({ pk: 'KEY#k7q2mzt4', sk: 'KEY', gsi1pk: 'KEYS', gsi1sk: '1', id: 'k7q2mzt4', hash: 'secret' });
    await put({
      pk: 'WEBHOOK#1',
      sk: 'ENDPOINT',
      gsi1pk: 'WEBHOOKS',
      gsi1sk: 'CREATED#1',
      secret: 'sealed',
      url: 'https://a.example',
    });
    await put({ pk: 'SHARD', sk: 'shard-a', name: 'shard-a', epoch: 3 });
    await put({ pk: 'ADDRESSES', sk: 'LISTS', version: 1, entries: [{ network: '192.0.2.0/24' }] });
    await put({ pk: 'AUTOMATION', sk: 'RULE', state: 'set', version: 2 });
    await put({ pk: 'COUNT#x', sk: 'y' });
    const configuration = await read();
    expect(configurationSchema.parse(configuration)).toEqual(configuration);
    expect(configuration.parameters).toHaveLength(13);
    expect(configuration.parameters.find(({ name }) => name.endsWith('db-password'))?.value).toBe(
      '[redacted]',
    );
    expect(configuration.tables).toMatchObject({
      tenants: [{ id: 'acme', keys: { $set: ['aaaaaaaa', 'k7q2mzt4'] } }],
      keys: [{ id: 'k7q2mzt4', hash: '[redacted]' }],
      webhookEndpoints: [{ secret: '[redacted]', url: 'https://a.example' }],
      shards: [{ name: 'shard-a', epoch: 3 }],
      addressLists: [{ entries: [{ network: '192.0.2.0/24' }] }],
      automation: [{ version: 2 }],
    });
    expect(configuration.redacted).toBe(3);
    expect(JSON.stringify(configuration)).not.toMatch(/hunter2|COUNT|developer|sealed/);
  });

  it('is compared with a later one, and the script says what would undo the difference', async () => {
    const before = await read();
    await set('/mainstay/dev/configuration/section0', "it's changed");
    await set('/mainstay/dev/configuration/new', 'x');
    await put({ ...tenant, tier: 'enterprise' });
    await put({ ...tenant, pk: 'TENANT#new', gsi1sk: 'new', id: 'new' });
    const changes = differences(before, await read());
    expect(changes.map(({ kind, name, change }) => [kind, name, change])).toEqual([
      ['parameter', '/mainstay/dev/configuration/section0', 'changed'],
      ['parameter', '/mainstay/dev/configuration/new', 'added'],
      ['tenants', 'TENANT#acme / TENANT', 'changed'],
      ['tenants', 'TENANT#new / TENANT', 'added'],
    ]);
    const script = applyScript(changes, tables);
    expect(script).toContain(
      `aws ssm put-parameter --cli-input-json '{"Name":"/mainstay/dev/configuration/section0","Type":"String","Value":"{\\"n\\":0}","Overwrite":true}'`,
    );
    expect(script).toContain(`# aws ssm delete-parameter --name '/mainstay/dev/configuration/new'`);
    expect(script).toContain('"keys":{"SS":["aaaaaaaa","k7q2mzt4"]}');
    expect(differences(before, before)).toEqual([]);
  });

  it('marks what was left out, and makes a script that a shell can read whatever the names are', async () => {
    const item = (more: object) => ({
      pk: "K'E\nY",
      sk: 'KEY',
      hash: '[redacted]',
      name: '$(touch x)`',
      ...more,
    });
    const base = await read();
    const of = (keys: Record<string, unknown>[]): Configuration => ({
      ...base,
      parameters: [],
      tables: { ...base.tables, keys },
    });
    const changed = differences(of([item({ tier: 'free' })]), of([item({ tier: 'gold', more: 1 })]));
    expect(changed).toMatchObject([{ change: 'changed', redacted: true }]);
    const script = applyScript([...changed, ...differences(of([item({})]), of([]))], tables);
    expect(script).toMatch(/update-item .*SET #n0 = :v0 REMOVE #n1/);
    expect(script).toContain('cannot be made again without them');
    await promisify(execFile)('sh', ['-n', '-c', script]);
  });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { DynamoDbService } from '../../../local/dynamodb/dynamodb-service.ts';
import { itemsTable as TableName } from './items-table.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mainstay-dynamodb-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Runs the writer until it has promised some writes, kills it, and gives the last version of each item. */
async function writeUntilKilled(writes: number): Promise<Map<string, number>> {
  const script = join(import.meta.dirname, 'writer-process.ts');
  const child = spawn(process.execPath, [script, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8');
  for await (const piece of child.stdout) {
    output += piece;
    if (!child.killed && output.split('\n').length > writes) child.kill('SIGKILL');
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  const lines = output.slice(0, output.lastIndexOf('\n')).split('\n');
  return new Map(
    lines.map((line) => line.split(' ')).map(([item, version]) => [`item-${item}`, Number(version)]),
  );
}

const context = {
  principal: { kind: 'operator', arn: '' },
  region: '',
  accountId: '',
  requestId: '',
} as const;

async function scan(
  service: DynamoDbService,
  input: object,
): Promise<Record<string, Record<string, string>>[]> {
  const result = await service.api.operations.Scan?.run({ TableName, ...input }, context);
  return typeof result === 'object' && result !== null && 'Items' in result && Array.isArray(result.Items)
    ? result.Items
    : [];
}

it('keeps every acknowledged write and an index that agrees with it through kill -9, twice', async () => {
  for (const writes of [300, 700]) {
    const promised = await writeUntilKilled(writes);
    const service = new DynamoDbService({ directory, authorizer: { setResourcePolicy: () => undefined } });
    await service.start();
    try {
      const items = await scan(service, {});
      const stored = new Map(items.map((item) => [item.pk?.S ?? '', Number(item.version?.N)]));
      for (const [item, version] of promised) expect(stored.get(item)).toBeGreaterThanOrEqual(version);
      const indexed = await scan(service, { IndexName: 'gsi1' });
      const order = (list: typeof items) => list.map((item) => JSON.stringify(item)).sort();
      expect(order(indexed)).toEqual(order(items));
    } finally {
      await service.stop();
    }
  }
}, 30_000);

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { ensureBucketRecord } from '../../../local/s3/store/bucket-rules.ts';
import { type Cause, ObjectStore } from '../../../local/s3/store/object-store.ts';

type Versioning = 'Enabled' | 'Suspended';

/** One version in the model: `value` undefined is a delete marker. */
interface ModelVersion {
  id: string;
  value: number | undefined;
}

const cause: Cause = { reason: 'test', requestId: 'test', requester: 'test' };
const keys = ['a', 'a/b', 'b'];

jest.setTimeout(30_000);

let directory: string;
let store: ObjectStore;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'mainstay-s3-'));
  store = new ObjectStore(directory, Date.now, () => undefined);
});
afterAll(() => {
  store.close();
  rmSync(directory, { recursive: true, force: true });
});

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('put' as const), key: fc.constantFrom(...keys) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('delete' as const), key: fc.constantFrom(...keys) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('deleteVersion' as const),
      key: fc.constantFrom(...keys),
      index: fc.nat(5),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('versioning' as const),
      to: fc.constantFrom<Versioning>('Enabled', 'Suspended'),
    }),
  },
);

describe('versions', () => {
  it('behave as a simple model does, whatever is done in whatever order', async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.boolean(), fc.array(step, { maxLength: 25 }), async (startVersioned, steps) => {
        const bucket = `bucket-${run++}`;
        let versioning: Versioning | undefined = startVersioned ? 'Enabled' : undefined;
        const define = () => ensureBucketRecord(store, { name: bucket, ...(versioning && { versioning }) });
        define();
        const model = new Map<string, ModelVersion[]>(keys.map((key) => [key, []]));
        for (const [value, action] of steps.entries()) {
          if (action.kind === 'versioning') {
            versioning = action.to;
            define();
            continue;
          }
          const versions = model.get(action.key) ?? [];
          const replaceNull = () => {
            const index = versions.findIndex(({ id }) => id === 'null');
            if (index >= 0) versions.splice(index, 1);
          };
          if (action.kind === 'put') {
            const { versionId } = await put(bucket, action.key, value);
            if (versioning !== 'Enabled') replaceNull();
            versions.unshift({ id: versionId, value });
          } else if (action.kind === 'delete') {
            const outcome = store.delete(bucket, action.key, { cause });
            if (versioning !== 'Enabled') replaceNull();
            if (versioning) versions.unshift({ id: outcome.versionId ?? '', value: undefined });
          } else {
            const target = versions[action.index];
            if (!target) continue;
            store.delete(bucket, action.key, { versionId: target.id, cause });
            versions.splice(action.index, 1);
          }
        }
        check(bucket, model);
      }),
      { numRuns: 150 },
    );
  });

  it('leave no file behind that no version needs', () => {
    let needed = 0;
    for (const bucket of store.buckets.list()) {
      const all = store.versions.versions(bucket.name, Buffer.alloc(0), Buffer.of(0xff));
      for (const version of [...all]) needed += store.versions.files(version.sequence).length;
    }
    const files = readdirSync(join(directory, 'data'), { recursive: true, encoding: 'utf8' });
    expect(files.filter((file) => file.length > 2)).toHaveLength(needed);
    expect(readdirSync(join(directory, 'staging'))).toEqual([]);
  });
});

async function put(bucket: string, key: string, value: number) {
  async function* bytes() {
    yield Buffer.from(String(value));
  }
  const file = await store.blobs.stage(bytes(), () => undefined);
  const attributes = {
    headers: {},
    metadata: {},
    tags: {},
    encryption: { algorithm: 'AES256' as const },
    legalHold: false,
  };
  return store.put(
    bucket,
    { key, createdAt: value, size: file.size, etag: String(value), storageClass: 'STANDARD', attributes },
    [file],
    { cause },
  );
}

function check(bucket: string, model: Map<string, ModelVersion[]>): void {
  const everything: [string, string, boolean][] = [];
  const visible: [string, string][] = [];
  for (const [key, versions] of model) {
    const [latest] = versions;
    expect(store.find(bucket, key)?.versionId).toBe(latest?.id);
    for (const { id, value } of versions) {
      const found = store.find(bucket, key, id);
      expect(found).toMatchObject({
        deleteMarker: value === undefined,
        etag: value === undefined ? '' : String(value),
      });
      everything.push([key, id, id === latest?.id]);
    }
    if (latest?.value !== undefined) visible.push([key, latest.id]);
  }
  const to = Buffer.of(0xff);
  const listed = [...store.versions.versions(bucket, Buffer.alloc(0), to)];
  expect(listed.map(({ key, versionId, latest }) => [key, versionId, latest])).toEqual(everything);
  const objects = [...store.versions.visible(bucket, Buffer.alloc(0), to)];
  expect(objects.map(({ key, versionId }) => [key, versionId])).toEqual(visible);
}

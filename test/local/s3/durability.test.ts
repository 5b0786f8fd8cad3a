import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ObjectStore } from '../../../local/s3/store/object-store.ts';

jest.setTimeout(30_000);

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'mainstay-s3-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Told {
  key: string;
  /** Missing when the key is about to be deleted. */
  etag?: string;
}

/** Lets a process write until it has told of `count` writes, then kills it. @returns what it told of each key. */
async function writeAndKill(round: number, count: number): Promise<Map<string, string | undefined>> {
  const told = new Map<string, string | undefined>();
  const writer = fork(join(import.meta.dirname, 'writer-process.ts'), [directory, String(round)], {
    execArgv: [],
  });
  let messages = 0;
  writer.on('message', ({ key, etag }: Told) => {
    told.set(key, etag);
    if (++messages === count) writer.kill('SIGKILL');
  });
  const drained = new Promise((resolve) => writer.once('disconnect', resolve));
  const signal = await new Promise((resolve) => writer.once('exit', (_, name) => resolve(name)));
  await drained;
  expect(signal).toBe('SIGKILL');
  return told;
}

const open = () => new ObjectStore(directory, Date.now, () => undefined);
const bytesOf = (store: ObjectStore, sequence: number) =>
  store.versions.files(sequence).map(({ file }) => readFileSync(store.blobs.path(file)));

describe('a store whose process is killed', () => {
  it.each([1, 7, 20, 33])(
    'has every object whole after kill -9 in the middle of writing (%d)',
    async (count) => {
      const told = await writeAndKill(count, count);
      const store = open();
      try {
        for (const [key, etag] of told) {
          if (etag !== undefined) expect(store.find('bucket', key)?.etag).toBe(etag);
        }
        const objects = [...store.versions.visible('bucket', Buffer.alloc(0), Buffer.of(0xff))];
        expect(objects.length).toBeGreaterThan(0);
        const files = new Set<string>();
        for (const object of objects) {
          const bytes = Buffer.concat(bytesOf(store, object.sequence));
          expect(bytes.length).toBe(object.size);
          if (!object.etag.includes('-')) {
            expect(createHash('sha256').update(bytes).digest('hex')).toBe(object.etag);
          }
          for (const { file } of store.versions.files(object.sequence)) files.add(file);
        }
        for (const upload of [...store.uploads.list('bucket', Buffer.alloc(0), Buffer.of(0xff))]) {
          for (const { file } of store.uploads.parts(upload.uploadId)) files.add(file);
        }
        const found = readdirSync(join(directory, 'data'), { recursive: true, encoding: 'utf8' });
        const names = found.flatMap((path) => path.split('/').slice(1));
        expect(new Set(names)).toEqual(files);
        expect(readdirSync(join(directory, 'staging'))).toEqual([]);
      } finally {
        store.close();
      }
    },
  );

  it('removes at its start what nothing refers to', () => {
    const first = open();
    first.close();
    writeFileSync(join(directory, 'staging', 'half'), 'half an object');
    const [shard = ''] = readdirSync(join(directory, 'data'));
    const orphan = join(directory, 'data', shard, `${shard}${'0'.repeat(30)}`);
    writeFileSync(orphan, 'renamed, but never committed');
    const store = open();
    store.close();
    expect(readdirSync(join(directory, 'staging'))).toEqual([]);
    expect(readdirSync(join(directory, 'data', shard))).not.toContain(`${shard}${'0'.repeat(30)}`);
  });
});

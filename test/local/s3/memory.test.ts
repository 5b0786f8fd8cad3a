import { type ChildProcess, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { CopyObjectCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as z from 'zod';

const mebibyte = 1024 * 1024;
const size = 120 * mebibyte;
const readySchema = z.object({
  url: z.string(),
  credentials: z.object({ accessKeyId: z.string(), secretAccessKey: z.string() }),
});

let directory: string;
let server: ChildProcess;
let client: S3Client;

const message = () => new Promise((resolve) => server.once('message', resolve));
async function peak(): Promise<number> {
  const answer = message();
  server.send({});
  return z.object({ peak: z.number() }).parse(await answer).peak;
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'mainstay-s3-'));
  server = fork(join(import.meta.dirname, 'server-process.ts'), [directory], { execArgv: [] });
  const { url, credentials } = readySchema.parse(await message());
  client = new S3Client({ endpoint: url, region: 'us-east-1', credentials, maxAttempts: 1 });
});
afterAll(async () => {
  client.destroy();
  const ended = new Promise((resolve) => server.once('exit', resolve));
  server.disconnect();
  await ended;
  rmSync(directory, { recursive: true, force: true });
});

async function store(Key: string, length: number): Promise<string> {
  const hash = createHash('sha256');
  const block = Buffer.alloc(mebibyte);
  const body = Readable.from(
    (function* () {
      for (let offset = 0; offset < length; offset += block.length) {
        block.writeUInt32BE(offset / block.length);
        const piece = Buffer.from(block);
        hash.update(piece);
        yield piece;
      }
    })(),
  );
  await client.send(new PutObjectCommand({ Bucket: 'large', Key, Body: body, ContentLength: length }));
  return hash.digest('hex');
}

async function digestOfStored(Key: string): Promise<string> {
  const object = await client.send(new GetObjectCommand({ Bucket: 'large', Key }));
  const hash = createHash('sha256');
  if (!(object.Body instanceof Readable)) throw new Error('expected a stream');
  for await (const chunk of object.Body) hash.update(chunk);
  return hash.digest('hex');
}

describe('memory', () => {
  it('stays flat while 120 MB are written, copied and read', async () => {
    const warm = await store('small', 20 * mebibyte);
    expect(await digestOfStored('small')).toBe(warm);
    const before = await peak();
    const digest = await store('large', size);
    await client.send(new CopyObjectCommand({ Bucket: 'large', Key: 'copy', CopySource: 'large/large' }));
    expect(await digestOfStored('copy')).toBe(digest);
    expect((await peak()) - before).toBeLessThan(100);
  }, 60_000);
});

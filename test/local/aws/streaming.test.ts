import { createHash } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { RestRequest, RestResponse } from '../../../local/aws/api.ts';
import { AwsError } from '../../../local/aws/operation.ts';
import { readBody, restService } from './echo-service.ts';
import { allow, type EmulatedAws, startAws } from './emulated-aws.ts';

let aws: EmulatedAws;
let handle: (request: RestRequest) => Promise<RestResponse>;
let seen: RestRequest[];

beforeAll(async () => {
  aws = await startAws(() => [
    restService(async (request) => {
      seen.push(request);
      return handle(request);
    }),
  ]);
});
afterAll(() => aws.close());
beforeEach(() => {
  seen = [];
  aws.logged.length = 0;
  handle = async (request) => {
    await readBody(request);
    return { status: 200 };
  };
});

const client = (credentials = aws.credentials.operator()) =>
  new S3Client({ ...aws.client(credentials), forcePathStyle: true });
const put = (Body: Buffer | Readable | string, input: object = {}) =>
  client().send(new PutObjectCommand({ Bucket: 'bucket', Key: 'a b/(c)+d', Body, ...input }));
const only = (): RestRequest => {
  const [request, ...more] = seen;
  if (!request || more.length > 0) throw new Error(`${seen.length} requests`);
  return request;
};

describe('an upload', () => {
  it('from memory comes with its checked hash and length', async () => {
    let body: Buffer | undefined;
    handle = async (request) => {
      body = await readBody(request);
      return { status: 200 };
    };
    await put('hello');
    expect(body?.toString()).toBe('hello');
    expect(only()).toMatchObject({ rawPath: '/bucket/a%20b/%28c%29%2Bd', contentLength: 5, method: 'PUT' });
    expect(only().payloadSha256).toBe(createHash('sha256').update('hello').digest('hex'));
  });

  it('from a stream loses its framing and shows its trailers once it has ended', async () => {
    const bytes = Buffer.alloc(3_000_000, 'abc');
    let body: Buffer | undefined;
    let early: Readonly<Record<string, string>> = {};
    handle = async (request) => {
      early = { ...request.trailers() };
      body = await readBody(request);
      return { status: 200 };
    };
    await put(Readable.from([bytes.subarray(0, 1_000_000), bytes.subarray(1_000_000)]), {
      ContentLength: bytes.length,
    });
    expect(body?.equals(bytes)).toBe(true);
    expect(early).toEqual({});
    expect(only().trailers()).toEqual({ 'x-amz-checksum-crc32': expect.stringMatching(/=$/) });
    expect(only()).toMatchObject({ contentLength: bytes.length, payloadSha256: undefined });
    expect(only().headers).not.toHaveProperty('content-encoding');
  });

  it('fails before its end when the bytes are not those that were signed', async () => {
    handle = async (request) => {
      await readBody(request);
      return { status: 200 };
    };
    const sha = createHash('sha256').update('other').digest('hex');
    const url = await getSignedUrl(client(), new PutObjectCommand({ Bucket: 'bucket', Key: 'k' }));
    const answer = await fetch(url, {
      method: 'PUT',
      body: 'hello',
      headers: { 'x-amz-content-sha256': sha },
    });
    expect(answer.status).toBe(403);
    const claimed = client();
    claimed.middlewareStack.add(
      (next) => (args) => next({ ...args, request: Object.assign(Object(args.request), { body: 'jello' }) }),
      {
        step: 'finalizeRequest',
        priority: 'low',
      },
    );
    await expect(
      claimed.send(new PutObjectCommand({ Bucket: 'bucket', Key: 'k', Body: 'hello' })),
    ).rejects.toMatchObject({ name: 'XAmzContentSHA256Mismatch', $metadata: { httpStatusCode: 400 } });
  });

  it('is not taken in when its role may not', async () => {
    let read = 0;
    handle = async (request) => {
      request.body.on('data', (piece: Buffer) => {
        read += piece.length;
      });
      request.authorize([{ action: 's3:PutObject', resource: 'arn:aws:s3:::bucket/k' }]);
      return { status: 200 };
    };
    aws.asRole(allow('s3:GetObject'));
    const denied = new S3Client({ ...aws.asRole(), forcePathStyle: true });
    const Body = Buffer.alloc(30_000_000);
    await expect(
      denied.send(new PutObjectCommand({ Bucket: 'bucket', Key: 'k', Body })),
    ).rejects.toMatchObject({
      name: 'AccessDenied',
      message: expect.stringContaining('s3:PutObject on resource: "arn:aws:s3:::bucket/k"'),
    });
    expect(read).toBeLessThan(Body.length);
  });

  it('is as slow as its reader, not gathered in memory', async () => {
    const total = 60_000_000;
    let sent = 0;
    let ahead = 0;
    let taken = 0;
    handle = async (request) => {
      for await (const piece of request.body) {
        taken += piece.length;
        ahead = Math.max(ahead, sent - taken);
        if (taken < 3_000_000) await delay(1);
      }
      return { status: 200 };
    };
    const source = Readable.from(
      (function* () {
        for (; sent < total; ) {
          sent += 100_000;
          yield Buffer.alloc(100_000);
        }
      })(),
    );
    await put(source, { ContentLength: total });
    expect(taken).toBe(total);
    expect(ahead).toBeLessThan(20_000_000);
  });

  it('tells its reader when the client goes away', async () => {
    let failed: unknown;
    let aborted = false;
    const done = new Promise<void>((resolve) => {
      handle = async (request) => {
        await readBody(request).catch((error) => {
          failed = error;
        });
        aborted = request.signal.aborted;
        resolve();
        return { status: 200 };
      };
    });
    const url = new URL(await getSignedUrl(client(), new PutObjectCommand({ Bucket: 'bucket', Key: 'k' })));
    const request = httpRequest(url, { method: 'PUT', headers: { 'content-length': 1000 } });
    request.on('error', () => undefined);
    request.write('half');
    setTimeout(() => request.destroy(), 30);
    await done;
    expect(failed).toBeDefined();
    await delay(10);
    expect(aborted || seen[0]?.signal.aborted).toBe(true);
    expect(aws.logged).toEqual([]);
  });
});

describe('a download', () => {
  it('is streamed, and destroyed when the client goes away', async () => {
    const source = Readable.from(
      (async function* () {
        for (;;) {
          yield Buffer.alloc(65_536);
          await delay(1);
        }
      })(),
    );
    handle = async () => ({ status: 200, body: source });
    const { Body } = await client().send(new GetObjectCommand({ Bucket: 'bucket', Key: 'k' }));
    if (!(Body instanceof Readable)) throw new Error('no stream');
    Body.destroy();
    await new Promise((resolve) => source.once('close', resolve));
    expect(source.destroyed).toBe(true);
  });

  it('that fails midway is cut off, so that nobody takes the part for the whole', async () => {
    handle = async () => ({
      status: 200,
      headers: { 'content-length': 10 },
      body: Readable.from(
        (async function* () {
          yield Buffer.from('half');
          await delay(5);
          throw new Error('disk');
        })(),
      ),
    });
    const { Body } = await client().send(new GetObjectCommand({ Bucket: 'bucket', Key: 'k' }));
    await expect(Body?.transformToString()).rejects.toThrow();
  });
});

describe('a presigned URL', () => {
  it('works for whoever holds it, with headers hoisted into its query', async () => {
    const command = new PutObjectCommand({ Bucket: 'bucket', Key: 'k', Metadata: { note: 'x' } });
    const url = await getSignedUrl(
      client(aws.credentials.forRole('arn:aws:iam::000000000000:role/r')),
      command,
    );
    expect((await fetch(url, { method: 'PUT', body: 'hello' })).status).toBe(200);
    expect(only()).toMatchObject({
      principal: { kind: 'role', roleArn: 'arn:aws:iam::000000000000:role/r' },
      headers: expect.objectContaining({ 'x-amz-meta-note': 'x' }),
    });
    expect([...only().query.keys()].filter((name) => /signature|credential|token/i.test(name))).toEqual([]);
  });

  it('does not work for another object or method', async () => {
    const url = await getSignedUrl(client(), new GetObjectCommand({ Bucket: 'bucket', Key: 'k' }));
    for (const attempt of [fetch(url.replace('/k?', '/l?')), fetch(url, { method: 'DELETE' })]) {
      const answer = await attempt;
      expect(answer.status).toBe(403);
      expect(await answer.text()).toContain('<Code>SignatureDoesNotMatch</Code>');
    }
    expect(seen).toEqual([]);
  });
});

describe('an unsigned request', () => {
  it('reaches a service that takes them, as nobody', async () => {
    handle = async (request) => {
      request.authorize([{ action: 's3:GetObject', resource: 'arn:aws:s3:::bucket/k' }]);
      return { status: 200 };
    };
    const answer = await fetch(`${aws.endpoint.url}/bucket/k`);
    expect(answer.status).toBe(403);
    expect(await answer.text()).toMatch(
      /<Code>AccessDenied<\/Code><Message>User: anonymous is not authorized/,
    );
    expect((await fetch(`${aws.endpoint.url}/bucket/k`, { method: 'HEAD' })).status).toBe(403);
  });
});

describe('errors of a REST service', () => {
  it('are XML an SDK reads, with their further members', async () => {
    handle = async () => {
      throw new AwsError('NoSuchKey', 'The key <k> does not exist', 404, { Key: 'k&l' });
    };
    const attempt = client().send(new GetObjectCommand({ Bucket: 'bucket', Key: 'k' }));
    await expect(attempt).rejects.toMatchObject({
      name: 'NoSuchKey',
      message: 'The key <k> does not exist',
      Key: 'k&l',
    });
  });
});

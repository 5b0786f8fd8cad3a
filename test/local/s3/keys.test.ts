import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import { parseTarget } from '../../../local/s3/http/target.ts';
import { readXml, xmlText } from '../../../local/s3/http/xml-reader.ts';
import { type EmulatedS3, startS3 } from './emulated-s3.ts';

const keys = [
  'plain',
  '/leading/slash',
  '//double//slash//',
  'a/../b',
  '../../etc/passwd',
  '..',
  '.',
  './here',
  'percent%2Fencoded',
  '100%',
  'plus+sign and space',
  'question?mark=1&x',
  'hash#tag',
  'quote"\'<>&;',
  'back\\slash',
  'tab\tnewline\ncarriage\r',
  'control\u0001\u001f\u007f',
  'nul\u0000inside',
  'umlaut-äöü-\u0308-日本語-😀',
  'trailing/',
  ' leading and trailing space ',
  '__proto__',
  'CON',
  'x'.repeat(1024),
  '😀'.repeat(256),
];

let emulated: EmulatedS3;

beforeAll(async () => {
  emulated = await startS3();
  emulated.s3.ensureBucket({ name: 'keys' });
  for (const [index, Key] of keys.entries()) {
    await emulated.client.send(new PutObjectCommand({ Bucket: 'keys', Key, Body: `object ${index}` }));
  }
});
afterAll(() => emulated.close());

describe('object keys', () => {
  it.each(keys.map((key, index) => [JSON.stringify(key).slice(0, 40), key, index] as const))(
    'keeps %s apart from all other keys',
    async (_, Key, index) => {
      const object = await emulated.client.send(new GetObjectCommand({ Bucket: 'keys', Key }));
      expect(await object.Body?.transformToString()).toBe(`object ${index}`);
    },
  );

  it('lists every key as it was given, in the order of its bytes', async () => {
    const listed = await emulated.client.send(new ListObjectsV2Command({ Bucket: 'keys' }));
    const sorted = [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect(listed.Contents?.map((object) => object.Key)).toEqual(sorted);
  });

  it('lists every key percent-encoded where that is asked for', async () => {
    const listed = await emulated.client.send(
      new ListObjectsV2Command({ Bucket: 'keys', EncodingType: 'url' }),
    );
    const decoded = listed.Contents?.map((object) =>
      decodeURIComponent((object.Key ?? '').replaceAll('+', '%20')),
    );
    expect(new Set(decoded)).toEqual(new Set(keys));
  });

  it('never makes a path of a key', () => {
    const found = readdirSync(join(emulated.aws.directory, 's3'), { recursive: true, encoding: 'utf8' });
    const unexpected = found.filter(
      (path) => !/^(data(\/[0-9a-f]{2}(\/[0-9a-f]{32})?)?|staging|index\.sqlite(-wal|-shm)?)$/.test(path),
    );
    expect(unexpected).toEqual([]);
  });

  it('refuses a key of more than 1024 bytes and one that is not UTF-8', async () => {
    await expect(
      emulated.client.send(new PutObjectCommand({ Bucket: 'keys', Key: 'x'.repeat(1025), Body: 'x' })),
    ).rejects.toMatchObject({ name: 'KeyTooLongError', $metadata: { httpStatusCode: 400 } });
    expect(() => parseTarget('/keys/%FF', undefined)).toThrow("Couldn't parse the specified URI.");
    const response = await fetch(`${emulated.aws.endpoint.url}/keys/%FF`);
    expect(response.status).toBe(400);
  });

  it('reads control characters in requests, written as they are or as references', () => {
    const xml = '<Delete><Key>a&#x1;b&#31;c\u0002d&#xD;e&#38;</Key></Delete>';
    const { Key } = readXml(Buffer.from(xml), 'Delete', z.object({ Key: xmlText }));
    expect(Key).toBe('a\u0001b\u001fc\u0002d\re&');
  });

  it('deletes every key by the batch', async () => {
    const deleted = await emulated.client.send(
      new DeleteObjectsCommand({ Bucket: 'keys', Delete: { Objects: keys.map((Key) => ({ Key })) } }),
    );
    expect(deleted.Errors).toBeUndefined();
    expect(new Set(deleted.Deleted?.map((object) => object.Key))).toEqual(new Set(keys));
    const listed = await emulated.client.send(new ListObjectsV2Command({ Bucket: 'keys' }));
    expect(listed.KeyCount).toBe(0);
    await expect(
      emulated.client.send(new HeadObjectCommand({ Bucket: 'keys', Key: 'plain' })),
    ).rejects.toMatchObject({ $metadata: { httpStatusCode: 404 } });
  });
});

import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { XMLParser } from 'fast-xml-parser';
import * as z from 'zod';
import type { RestRequest, RestResponse } from '../aws/api.ts';
import {
  type Authorization,
  AwsError,
  type Operation,
  type OperationContext,
  type Principal,
} from '../aws/operation.ts';
import { digestOf } from './checksums/digests.ts';
import type { S3Environment } from './http/call.ts';
import { encodeKey } from './http/listing-parameters.ts';
import { runRequest } from './http/router.ts';

type Authorize = (principal: Principal, authorizations: readonly Authorization[]) => void;

/** Largest object that a call in-process reads or writes, in bytes. */
const largestObject = 256 * 1024 * 1024;

const target = { Bucket: z.string().min(1), Key: z.string().min(1) };
const inputs = {
  read: z.strictObject({ ...target, VersionId: z.string().optional(), Range: z.string().optional() }),
  write: z.strictObject({
    ...target,
    Body: z.union([z.string(), z.instanceof(Uint8Array)]).default(''),
    ContentType: z.string().optional(),
    ACL: z.string().optional(),
    Metadata: z.record(z.string(), z.string()).default({}),
    IfNoneMatch: z.string().optional(),
    IfMatch: z.string().optional(),
  }),
  delete: z.strictObject({ ...target, VersionId: z.string().optional() }),
  list: z.strictObject({
    Bucket: z.string().min(1),
    Prefix: z.string().optional(),
    Delimiter: z.string().optional(),
    ContinuationToken: z.string().optional(),
    StartAfter: z.string().optional(),
    MaxKeys: z.number().optional(),
  }),
};

/**
 * The operations of S3 that workflows call without HTTP. Input and output are the SDK's, `Body` being
 * bytes. Each becomes a request like any other: what it needs is authorized on the way, not before.
 */
export function inProcessOperations(
  environment: () => S3Environment,
  authorize: Authorize,
): Readonly<Record<string, Operation>> {
  const send = (context: OperationContext, parts: RequestParts) =>
    runRequest(requestOf(parts, context, authorize), environment());
  const read =
    (method: 'GET' | 'HEAD') => async (input: Record<string, unknown>, context: OperationContext) => {
      const { Bucket, Key, VersionId, Range } = parse(inputs.read, input);
      const response = await send(context, {
        method,
        path: pathOf(Bucket, Key),
        query: { versionId: VersionId },
        headers: { range: Range },
      });
      return { ...objectOutput(response), ...(method === 'GET' && { Body: await bytesOf(response) }) };
    };
  return {
    GetObject: operation(read('GET')),
    HeadObject: operation(read('HEAD')),
    PutObject: operation(async (input, context) => {
      const { Bucket, Key, Body, ...rest } = parse(inputs.write, input);
      const body = Buffer.from(Body);
      const response = await send(context, {
        method: 'PUT',
        path: pathOf(Bucket, Key),
        query: {},
        headers: {
          'content-type': rest.ContentType,
          'x-amz-acl': rest.ACL,
          ...Object.fromEntries(
            Object.entries(rest.Metadata).map(([name, value]) => [`x-amz-meta-${name}`, value]),
          ),
          'if-none-match': rest.IfNoneMatch,
          'if-match': rest.IfMatch,
          'x-amz-checksum-crc32': digestOf('CRC32', body).toString('base64'),
        },
        body,
      });
      return objectOutput(response);
    }),
    DeleteObject: operation(async (input, context) => {
      const { Bucket, Key, VersionId } = parse(inputs.delete, input);
      const response = await send(context, {
        method: 'DELETE',
        path: pathOf(Bucket, Key),
        query: { versionId: VersionId },
        headers: {},
      });
      return objectOutput(response);
    }),
    ListObjectsV2: operation(async (input, context) => {
      const { Bucket, ...rest } = parse(inputs.list, input);
      const response = await send(context, {
        method: 'GET',
        path: `/${Bucket}`,
        query: {
          'list-type': '2',
          prefix: rest.Prefix,
          delimiter: rest.Delimiter,
          'continuation-token': rest.ContinuationToken,
          'start-after': rest.StartAfter,
          'max-keys': rest.MaxKeys === undefined ? undefined : String(rest.MaxKeys),
        },
        headers: {},
      });
      return listOutput(await bytesOf(response));
    }),
  };
}

interface RequestParts {
  method: string;
  path: string;
  query: Readonly<Record<string, string | undefined>>;
  headers: Readonly<Record<string, string | undefined>>;
  body?: Buffer;
}

/** @throws `ValidationException` for members that are wrong, missing, or not known here. */
function parse<T>(schema: z.ZodType<T>, input: unknown): T {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  throw new AwsError('ValidationException', z.prettifyError(result.error));
}

function operation(run: Operation['run']): Operation {
  return { authorize: () => [], run };
}

function requestOf(parts: RequestParts, context: OperationContext, authorize: Authorize): RestRequest {
  const body = parts.body ?? Buffer.alloc(0);
  const present = (values: RequestParts['query']): [string, string][] =>
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
  return {
    principal: context.principal,
    method: parts.method,
    rawPath: parts.path,
    query: new URLSearchParams(present(parts.query)),
    origin: `https://s3.${context.region}.amazonaws.com`,
    headers: Object.fromEntries(present(parts.headers)),
    body: Readable.from([body]),
    contentLength: body.length,
    payloadSha256: undefined,
    trailers: () => ({}),
    buffer: async () => body,
    authorize: (authorizations) => authorize(context.principal, authorizations),
    signal: new AbortController().signal,
    context,
  };
}

function pathOf(bucket: string, key: string): string {
  return `/${bucket}/${encodeKey(key)}`;
}

async function bytesOf({ headers, body }: RestResponse): Promise<Buffer> {
  const size = Number(headers?.['content-length'] ?? 0);
  if (size > largestObject) {
    if (body instanceof Readable) body.destroy();
    throw new AwsError('EntityTooLarge', `An object of ${size} bytes is too large for a call in-process`);
  }
  return body instanceof Readable ? buffer(body) : Buffer.from(body ?? '');
}

function objectOutput({ headers = {} }: RestResponse): Record<string, unknown> {
  const output: Record<string, unknown> = {
    ETag: headers.etag,
    VersionId: headers['x-amz-version-id'],
    ContentType: headers['content-type'],
    LastModified: headers['last-modified'] && new Date(headers['last-modified']),
    DeleteMarker: headers['x-amz-delete-marker'] === 'true' ? true : undefined,
    ContentLength: headers['content-length'] === undefined ? undefined : Number(headers['content-length']),
  };
  return Object.fromEntries(Object.entries(output).filter(([, value]) => value !== undefined));
}

const listSchema = z.object({
  ListBucketResult: z.object({
    Name: z.string(),
    Prefix: z.string(),
    NextContinuationToken: z.string().optional(),
    IsTruncated: z.stringbool(),
    KeyCount: z.coerce.number(),
    MaxKeys: z.coerce.number(),
    Contents: z
      .array(
        z.object({
          Key: z.string(),
          LastModified: z.coerce.date(),
          ETag: z.string(),
          Size: z.coerce.number(),
          StorageClass: z.string(),
        }),
      )
      .optional(),
    CommonPrefixes: z.array(z.object({ Prefix: z.string() })).optional(),
  }),
});
const lists = new Set(['Contents', 'CommonPrefixes']);

function listOutput(xml: Buffer): Record<string, unknown> {
  const parser = new XMLParser({
    ignoreAttributes: true,
    parseTagValue: false,
    trimValues: false,
    htmlEntities: true,
    isArray: (name) => lists.has(String(name)),
  });
  return listSchema.parse(parser.parse(xml)).ListBucketResult;
}

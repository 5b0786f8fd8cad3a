import type { JsonApi, RestApi, RestRequest } from '../../../local/aws/api.ts';
import { AwsError } from '../../../local/aws/operation.ts';

/** A JSON service under KMS's name whose operations say what reached them. */
export function echoJson(calls: Record<string, unknown>[] = []): JsonApi {
  return {
    protocol: 'json',
    signingName: 'kms',
    targetPrefix: 'TrentService',
    operations: {
      GenerateRandom: {
        authorize: () => [{ action: 'kms:GenerateRandom', resource: '*' }],
        run: (input, { principal }) => {
          calls.push({ input, principal });
          return { Plaintext: Buffer.from('echo') };
        },
      },
      ListKeys: {
        authorize: () => [],
        run: () => {
          throw new Error('a bug');
        },
      },
      DescribeKey: {
        authorize: () => [],
        run: () => {
          throw new AwsError('NotFoundException', 'No such key', 400);
        },
      },
    },
  };
}

/** A REST service under S3's name that hands each request to `handle`. */
export function restService(handle: RestApi['handle']): RestApi {
  return {
    protocol: 'rest',
    signingName: 's3',
    errors: 'xml',
    anonymous: true,
    operationOf: ({ method }) => (method === 'PUT' ? 'PutObject' : 'GetObject'),
    handle,
  };
}

/** What a request's body holds, read to its end. */
export async function readBody(request: RestRequest): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request.body) pieces.push(piece);
  return Buffer.concat(pieces);
}

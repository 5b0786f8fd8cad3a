import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { S3Client } from '@aws-sdk/client-s3';
import { HttpResponse } from '@smithy/core/protocols';

interface Request {
  method: string;
  query?: Record<string, unknown> | undefined;
  body?: unknown;
}

/**
 * An S3 client that stores nothing: requests are built and signed as ever, their bodies are read, and an answer is
 * made up. What is left is what the pipeline itself costs.
 */
export const nullStore = (): S3Client =>
  new S3Client({
    region: 'us-east-1',
    credentials: { accessKeyId: 'nobody', secretAccessKey: 'nothing' },
    requestHandler: {
      handle: async (request: Request) => {
        if (request.body instanceof Readable) await pipeline(request.body, dropped());
        return { response: answer(request) };
      },
      updateHttpClientConfig: () => {},
      httpHandlerConfigs: () => ({}),
    },
  });

const dropped = () => new Writable({ write: (_piece, _encoding, done) => done() });

function answer({ method, query = {} }: Request): HttpResponse {
  const respond = (xml: string) =>
    new HttpResponse({
      statusCode: 200,
      headers: { etag: '"none"' },
      body: Readable.from([Buffer.from(xml)]),
    });
  if (method === 'POST' && 'uploads' in query) {
    const members = '<Bucket>none</Bucket><Key>none</Key><UploadId>none</UploadId>';
    return respond(`<InitiateMultipartUploadResult>${members}</InitiateMultipartUploadResult>`);
  }
  if (method === 'POST') {
    const members = '<Bucket>none</Bucket><Key>none</Key><ETag>"none"</ETag>';
    return respond(`<CompleteMultipartUploadResult>${members}</CompleteMultipartUploadResult>`);
  }
  return respond('');
}

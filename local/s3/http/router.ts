import type { RestRequest, RestResponse } from '../../aws/api.ts';
import { AwsError } from '../../aws/operation.ts';
import { notEmulated } from '../../aws/registry.ts';
import { S3Error } from '../errors.ts';
import { xmlAnswer } from './answers.ts';
import * as configuration from './bucket-configuration.ts';
import * as buckets from './buckets.ts';
import { S3Call, type S3Environment } from './call.ts';
import { completeMultipartUpload } from './complete-upload.ts';
import { copyObject } from './copy-object.ts';
import { corsHeaders, preflight } from './cors.ts';
import { deleteObject, deleteObjects } from './delete-objects.ts';
import { listObjects, listObjectsV2 } from './list-objects.ts';
import { listMultipartUploads, listParts } from './list-uploads.ts';
import { listObjectVersions } from './list-versions.ts';
import * as multipart from './multipart-upload.ts';
import { getObjectAttributes } from './object-attributes.ts';
import * as settings from './object-settings.ts';
import { operationName } from './operation-names.ts';
import { getObject, headObject } from './read-object.ts';
import { parseTarget } from './target.ts';
import { putObject } from './write-object.ts';
import { element, field } from './xml.ts';

type Handler = (call: S3Call) => RestResponse | Promise<RestResponse>;

const handlers: Readonly<Record<string, Handler>> = {
  AbortMultipartUpload: multipart.abortMultipartUpload,
  CompleteMultipartUpload: completeMultipartUpload,
  CopyObject: copyObject,
  CreateBucket: buckets.createBucket,
  CreateMultipartUpload: multipart.createMultipartUpload,
  DeleteBucket: buckets.deleteBucket,
  DeleteObject: deleteObject,
  DeleteObjects: deleteObjects,
  DeleteObjectTagging: settings.deleteObjectTagging,
  GetBucketCors: configuration.getBucketCors,
  GetBucketEncryption: configuration.getBucketEncryption,
  GetBucketLifecycleConfiguration: configuration.getBucketLifecycleConfiguration,
  GetBucketLocation: buckets.getBucketLocation,
  GetBucketNotificationConfiguration: configuration.getBucketNotificationConfiguration,
  GetBucketOwnershipControls: configuration.getBucketOwnershipControls,
  GetBucketPolicy: configuration.getBucketPolicy,
  GetBucketTagging: configuration.getBucketTagging,
  GetBucketVersioning: configuration.getBucketVersioning,
  GetObject: getObject,
  GetObjectAttributes: getObjectAttributes,
  GetObjectLegalHold: settings.getObjectLegalHold,
  GetObjectLockConfiguration: configuration.getObjectLockConfiguration,
  GetObjectRetention: settings.getObjectRetention,
  GetObjectTagging: settings.getObjectTagging,
  GetPublicAccessBlock: configuration.getPublicAccessBlock,
  HeadBucket: buckets.headBucket,
  HeadObject: headObject,
  ListBuckets: buckets.listBuckets,
  ListMultipartUploads: listMultipartUploads,
  ListObjects: listObjects,
  ListObjectsV2: listObjectsV2,
  ListObjectVersions: listObjectVersions,
  ListParts: listParts,
  OptionsObject: preflight,
  PutObject: putObject,
  PutObjectLegalHold: settings.putObjectLegalHold,
  PutObjectRetention: settings.putObjectRetention,
  PutObjectTagging: settings.putObjectTagging,
  UploadPart: multipart.uploadPart,
  UploadPartCopy: multipart.uploadPartCopy,
};

/** Answers a request. @throws {AwsError} as S3 refuses it. */
export async function runRequest(request: RestRequest, environment: S3Environment): Promise<RestResponse> {
  const operation = operationName(request);
  const target = parseTarget(request.rawPath, request.headers.host);
  const handler = Object.hasOwn(handlers, operation) ? handlers[operation] : undefined;
  if (!handler) throw notEmulated('s3', operation);
  return handler(
    new S3Call(request, environment, {
      operation,
      bucketName: target.bucket ?? '',
      key: target.key ?? '',
    }),
  );
}

/** Answers a request over HTTP: S3's errors become answers with S3's headers, and browsers get theirs. */
export async function handleRequest(request: RestRequest, environment: S3Environment): Promise<RestResponse> {
  const response = await runRequest(request, environment).catch((error: unknown) => {
    if (error instanceof AwsError) return errorAnswer(error, request);
    throw error;
  });
  const { origin } = request.headers;
  if (origin === undefined) return response;
  const { bucket } = parseTarget(request.rawPath, request.headers.host);
  const cors = corsHeaders(environment.store.buckets.get(bucket ?? ''), origin, request.method);
  return { ...response, headers: { ...cors, ...response.headers } };
}

function errorAnswer(error: AwsError, request: RestRequest): RestResponse {
  const xml =
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
    element(
      'Error',
      field('Code', error.code),
      field('Message', error.message),
      ...Object.entries(error.details).map(([name, value]) => field(name, String(value))),
      field('Resource', request.rawPath),
      field('RequestId', request.context.requestId),
      field('HostId', request.context.requestId),
    );
  const headers = error instanceof S3Error ? error.headers : {};
  // Errors of HEAD have no body: the code is all that clients get.
  if (request.method === 'HEAD')
    return { status: error.statusCode, headers: { ...headers, 'content-type': 'application/xml' } };
  return xmlAnswer(xml, headers, error.statusCode);
}

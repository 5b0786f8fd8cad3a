import { AwsError } from '../aws/operation.ts';

/** An error of S3 that also sets headers of its answer, such as `x-amz-delete-marker`. */
export class S3Error extends AwsError {
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: string,
    message: string,
    statusCode: number,
    details: Record<string, unknown> = {},
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(code, message, statusCode, details);
    this.headers = headers;
  }
}

export const noSuchBucket = (bucket: string) =>
  new S3Error('NoSuchBucket', 'The specified bucket does not exist', 404, { BucketName: bucket });

export const noSuchKey = (key: string, headers: Record<string, string> = {}) =>
  new S3Error('NoSuchKey', 'The specified key does not exist.', 404, { Key: key }, headers);

export const noSuchVersion = (key: string, versionId: string) =>
  new S3Error('NoSuchVersion', 'The specified version does not exist.', 404, {
    Key: key,
    VersionId: versionId,
  });

export const noSuchUpload = (uploadId: string) =>
  new S3Error(
    'NoSuchUpload',
    'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
    404,
    { UploadId: uploadId },
  );

export const invalidArgument = (message: string, name?: string, value?: string) =>
  new S3Error('InvalidArgument', message, 400, {
    ...(name !== undefined && { ArgumentName: name }),
    ...(value !== undefined && { ArgumentValue: value }),
  });

export const invalidRequest = (message: string) => new S3Error('InvalidRequest', message, 400);

export const malformedXml = () =>
  new S3Error(
    'MalformedXML',
    'The XML you provided was not well-formed or did not validate against our published schema',
    400,
  );

export const preconditionFailed = (condition: string) =>
  new S3Error('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', 412, {
    Condition: condition,
  });

export const accessDenied = (message = 'Access Denied') => new S3Error('AccessDenied', message, 403);

/** What AWS offers and this emulation does not. */
export const notEmulated = (what: string) =>
  new S3Error('NotEmulated', `S3 ${what} is not emulated by the local runtime`, 501);

/** A header whose effect S3 does not offer for this request. */
export const notImplemented = (header: string) =>
  new S3Error('NotImplemented', 'A header you provided implies functionality that is not implemented.', 501, {
    Header: header,
  });

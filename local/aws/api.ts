import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { StaticOperationSchema } from '@smithy/types';
import type { Authorization, Operation, OperationContext, Principal } from './operation.ts';

/**
 * An AWS service that speaks JSON 1.0 or 1.1: `POST /` with `X-Amz-Target: <targetPrefix>.<operation>`.
 * Inputs and results are the JSON of the wire: blobs are base64 strings, timestamps are seconds
 * since the epoch. A result may also hold `Uint8Array` and `Date`, which are written that way.
 */
export interface JsonApi {
  protocol: 'json';
  /** Signing name of the service, for example `kms`. */
  signingName: string;
  /** For example `TrentService`. */
  targetPrefix: string;
  /** Content type of answers; default `1.1`. */
  jsonVersion?: '1.0' | '1.1';
  operations: Readonly<Record<string, Operation>>;
}

/** An operation of a query API; `schema` is what its SDK client exports, for example `DescribeDBClusters$`. */
export interface QueryOperation extends Operation {
  /** Types the form parameters of the request and names the XML elements of the answer. */
  schema: StaticOperationSchema;
}

/**
 * An AWS service that speaks the query protocol: form parameters in, XML out. Inputs and results are
 * shaped as in the SDK (`{ Filters: [{ Name, Values }] }`, numbers, booleans, `Date`), because the
 * SDK's own schema reads and writes them; members that the schema does not know are left out.
 */
export interface QueryApi {
  protocol: 'query';
  signingName: string;
  /** Namespace of answers, for example `http://rds.amazonaws.com/doc/2014-10-31/`. */
  xmlNamespace: string;
  operations: Readonly<Record<string, QueryOperation>>;
  /** Regions that it answers for beside the runtime's own, which then is in an operation's context; default none. */
  otherRegions?(): Iterable<string>;
}

/** A request to a {@link RestApi}. Its signature has been verified; what it may do has not. */
export interface RestRequest {
  principal: Principal;
  method: string;
  /** Path as sent, percent-encoded, without the query: `/bucket/a%2Fb`. */
  rawPath: string;
  /** Query parameters, without a presigned URL's signature and the headers it carries. */
  query: URLSearchParams;
  /** Host, port and scheme the client used, for example `http://127.0.0.1:4566`. */
  origin: string;
  /** `aws-chunked` is taken out of `content-encoding`; a presigned URL's `x-amz-` parameters are added. */
  headers: IncomingHttpHeaders;
  /**
   * The payload; `aws-chunked` framing is removed. It fails with an {@link AwsError} when the bytes
   * do not match the signed hash or the declared length: nothing may be committed before its end.
   */
  body: Readable;
  /** Bytes of the decoded payload, where the client declared them. */
  contentLength: number | undefined;
  /** SHA-256 of the payload in hex, where it was signed; already compared when `body` ends. */
  payloadSha256: string | undefined;
  /** Trailing headers of an `aws-chunked` body in lower case; complete once `body` has ended. */
  trailers(): Readonly<Record<string, string>>;
  /** Reads the payload into memory. Throws `RequestEntityTooLarge` (413) beyond `limit` bytes. */
  buffer(limit: number): Promise<Buffer>;
  /** Throws `AccessDenied` (403) unless IAM allows every entry. */
  authorize(authorizations: readonly Authorization[]): void;
  /** Aborted when the client goes away before it has the whole answer. */
  signal: AbortSignal;
  context: OperationContext;
}

export interface RestResponse {
  status: number;
  headers?: Readonly<Record<string, string | number>>;
  /** A stream is destroyed when the client goes away. */
  body?: string | Uint8Array | Readable;
}

/** An AWS service with its own paths and methods: S3, Lambda, Scheduler. */
export interface RestApi {
  protocol: 'rest';
  signingName: string;
  /** How a thrown {@link AwsError} is written: S3 `xml`, CloudFront `wrapped xml`, the others `json`. */
  errors: 'xml' | 'wrapped xml' | 'json';
  /** Serves requests without a signature, as the anonymous principal. At most one API may; default false. */
  anonymous?: boolean;
  /** Name of the operation behind a request, for fault injection and messages, for example `PutObject`. */
  operationOf(request: Pick<RestRequest, 'method' | 'rawPath' | 'query' | 'headers'>): string;
  handle(request: RestRequest): Promise<RestResponse>;
  /** Operations that may also be called in-process, for example from a workflow. */
  operations?: Readonly<Record<string, Operation>>;
}

/** What `AwsEndpoint.register` takes. One signing name may have one API per protocol. */
export type AwsApi = JsonApi | QueryApi | RestApi;

/** Who makes a call to the emulated AWS. */
export type Principal =
  /** The person at the keyboard: the credentials in `.mainstay/local.json`; allowed everything. */
  | { kind: 'operator'; arn: string }
  /** A role of the synthesized template, assumed by a function, a workflow or a schedule. */
  | { kind: 'role'; arn: string; roleArn: string }
  /**
   * An AWS service acting by itself, for example an alarm that publishes to a topic; `arn` is the
   * service's name (`cloudwatch.amazonaws.com`). Only resource policies can allow it something.
   */
  | { kind: 'service'; arn: string; sourceArn?: string }
  /** A request without a signature. Only resource policies can allow it something. */
  | { kind: 'anonymous'; arn: 'anonymous' };

/** One thing IAM has to allow before an operation runs. */
export interface Authorization {
  /** For example `s3:GetObject`. */
  action: string;
  /** The resource's ARN, or `*` for actions that IAM does not scope to resources. */
  resource: string;
  /** Condition keys of this request, for example `{ 's3:prefix': 'backups/' }`. */
  context?: Record<string, string | readonly string[]>;
}

export interface OperationContext {
  principal: Principal;
  region: string;
  accountId: string;
  requestId: string;
}

/**
 * One emulated AWS operation: what IAM must allow for it, beside what it does. Declaring both in
 * one place keeps the table from operation to action reviewable.
 */
export interface Operation {
  authorize(
    input: Record<string, unknown>,
    context: OperationContext,
  ): Authorization[] | Promise<Authorization[]>;
  run(input: Record<string, unknown>, context: OperationContext): unknown;
}

/** An error with AWS's own code and HTTP status, as an SDK would parse it. */
export class AwsError extends Error {
  readonly code: string;
  readonly statusCode: number;
  /** Further members of the modelled error. */
  readonly details: Record<string, unknown>;

  constructor(code: string, message: string, statusCode = 400, details: Record<string, unknown> = {}) {
    super(message);
    this.name = code;
    this.code = code;
    this.statusCode = statusCode;
    this.details = details;
  }
}

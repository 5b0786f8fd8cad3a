import * as z from 'zod';

/** One part of a request that was not accepted. */
export interface FieldError {
  /** Where, for example `body.type`, `query.limit` or `params.backupId`. */
  readonly field: string;
  readonly message: string;
}

/** An error answer of this API: problem details as RFC 9457 describes them. */
export const problemSchema = z.looseObject({
  type: z.string().meta({
    description: 'Names the kind of problem: a path of this API’s documentation.',
    examples: ['/docs#problem-not-found'],
  }),
  title: z.string().meta({ examples: ['Not found'] }),
  status: z
    .int()
    .min(400)
    .max(599)
    .meta({ examples: [404] }),
  detail: z.string().optional().describe('What went wrong this time, and what to do about it.'),
  instance: z.string().optional().describe('The path of the request.'),
  traceId: z.string().optional().describe('Finds the request in logs and traces.'),
  errors: z
    .array(z.strictObject({ field: z.string(), message: z.string() }))
    .optional()
    .describe('Every part of the request that was not accepted.'),
});
export type ProblemDetails = z.output<typeof problemSchema>;

/** The kinds of problem this API has, by the slug in their `type`. */
export const problemKinds = {
  'invalid-request': {
    status: 400,
    title: 'Invalid request',
    meaning: 'A part of the request is not what this path takes; `errors` names each field.',
  },
  unauthorized: {
    status: 401,
    title: 'Unauthorized',
    meaning: 'There is no API key, or it is not known, expired or revoked.',
  },
  forbidden: {
    status: 403,
    title: 'Forbidden',
    meaning: 'The API key does not have the scope that this path needs.',
  },
  'not-found': {
    status: 404,
    title: 'Not found',
    meaning: 'There is nothing at this path, or it has been removed.',
  },
  'method-not-allowed': {
    status: 405,
    title: 'Method not allowed',
    meaning: 'The path exists with other methods; the header Allow lists them.',
  },
  conflict: {
    status: 409,
    title: 'Conflict',
    meaning: 'The present state of what the request is about does not allow it.',
  },
  'payload-too-large': {
    status: 413,
    title: 'Payload too large',
    meaning: 'The body of the request is too large.',
  },
  'unsupported-media-type': {
    status: 415,
    title: 'Unsupported media type',
    meaning: 'The body is not JSON, or it is compressed.',
  },
  'unprocessable-request': {
    status: 422,
    title: 'Unprocessable request',
    meaning: 'The request is well formed, but names something that does not exist or does not fit.',
  },
  'too-many-requests': {
    status: 429,
    title: 'Too many requests',
    meaning: 'The header Retry-After says when to try again.',
  },
  'internal-error': {
    status: 500,
    title: 'Internal error',
    meaning: 'Something unexpected happened; the trace id finds it in the logs.',
  },
  'not-available': {
    status: 503,
    title: 'Not available',
    meaning: 'A part of Mainstay did not answer in time. Trying again later may work.',
  },
} as const;
export type ProblemKind = keyof typeof problemKinds;

interface ProblemOptions {
  readonly errors?: readonly FieldError[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Further members of the answer that a program can act on, for example `{ runningBackupId }`. */
  readonly extensions?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** Thrown by handlers and by the shared stack to answer with problem details. */
export class Problem extends Error {
  readonly kind: ProblemKind;
  readonly errors: readonly FieldError[];
  readonly headers: Readonly<Record<string, string>>;
  readonly extensions: Readonly<Record<string, unknown>>;

  /** @param detail shown to the caller: it names what they sent, never how Mainstay is built. */
  constructor(kind: ProblemKind, detail: string, options: ProblemOptions = {}) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Problem';
    this.kind = kind;
    this.errors = options.errors ?? [];
    this.headers = options.headers ?? {};
    this.extensions = options.extensions ?? {};
  }

  get status(): number {
    return problemKinds[this.kind].status;
  }

  /** The body of the answer. */
  toDetails(context: { instance?: string; traceId?: string } = {}): ProblemDetails {
    const { status, title } = problemKinds[this.kind];
    return {
      ...this.extensions,
      type: `/docs#problem-${this.kind}`,
      title,
      status,
      ...(this.message === '' ? {} : { detail: this.message }),
      ...context,
      ...(this.errors.length === 0 ? {} : { errors: [...this.errors] }),
    };
  }
}

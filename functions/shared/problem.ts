import { z } from 'zod';

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
  'invalid-request': { status: 400, title: 'Invalid request' },
  unauthorized: { status: 401, title: 'Unauthorized' },
  forbidden: { status: 403, title: 'Forbidden' },
  'not-found': { status: 404, title: 'Not found' },
  'method-not-allowed': { status: 405, title: 'Method not allowed' },
  conflict: { status: 409, title: 'Conflict' },
  'payload-too-large': { status: 413, title: 'Payload too large' },
  'unsupported-media-type': { status: 415, title: 'Unsupported media type' },
  'unprocessable-request': { status: 422, title: 'Unprocessable request' },
  'too-many-requests': { status: 429, title: 'Too many requests' },
  'internal-error': { status: 500, title: 'Internal error' },
  'not-available': { status: 503, title: 'Not available' },
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

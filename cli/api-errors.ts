import * as z from 'zod';

const problemSchema = z.looseObject({
  title: z.string().optional(),
  detail: z.string().optional(),
  message: z.string().nullish(),
  traceId: z.string().optional(),
  errors: z.array(z.looseObject({ field: z.string(), message: z.string() })).optional(),
});

/** An answer of the API that is not a success, with what it says about itself. */
export class ApiError extends Error {
  readonly status: number;
  readonly problem: unknown;

  constructor(method: string, path: string, status: number, problem: unknown) {
    const parsed = problemSchema.safeParse(problem);
    const { title, detail, message, traceId, errors = [] } = parsed.success ? parsed.data : {};
    const said = [title, detail ?? message].filter((part) => part != null).join(': ');
    const unsaid = errors.filter((error) => !said.includes(error.message));
    const fields = unsaid.map((error) => `\n  ${error.field} ${error.message}`).join('');
    const trace = traceId === undefined ? '' : ` (trace ${traceId})`;
    super(`${method} ${path} answered ${status}${said && `: ${said}`}${trace}${fields}`);
    this.name = 'ApiError';
    this.status = status;
    this.problem = problem;
  }

  /** Whether the same call may well succeed a little later. */
  get transient(): boolean {
    return [429, 500, 502, 503, 504].includes(this.status);
  }
}

/** Nothing answered at all. */
export class UnreachableError extends Error {
  constructor(baseUrl: string, cause: unknown) {
    const hint = /\/\/(localhost|127\.|\[::1\])/.test(baseUrl)
      ? 'Is it running? `npm start` starts it here.'
      : 'Check the URL and the network.';
    super(`${baseUrl} does not answer (${reasonOf(cause)}). ${hint}`, { cause });
    this.name = 'UnreachableError';
  }
}

/** The platform answered with something this client does not know. */
export class UnknownAnswerError extends Error {
  constructor(method: string, path: string, { issues }: z.ZodError) {
    const [issue] = issues;
    const where = issue === undefined ? '' : `: ${issue.path.join('.') || 'the answer'}: ${issue.message}`;
    super(
      `${method} ${path} answered in a form that this version does not know${where}. ` +
        'Use the version of Mainstay that is deployed there; GET /api/health names it.',
    );
    this.name = 'UnknownAnswerError';
  }
}

const networkErrorSchema = z.object({
  name: z.string(),
  message: z.string(),
  cause: z.object({ code: z.string().optional(), message: z.string() }).optional().catch(undefined),
});

/** What the network said; fetch keeps it in the cause of its own error. */
function reasonOf(error: unknown): string {
  const { name, message, cause } = networkErrorSchema.parse(error);
  if (name === 'TimeoutError') return 'timeout';
  return cause?.code ?? cause?.message ?? message;
}

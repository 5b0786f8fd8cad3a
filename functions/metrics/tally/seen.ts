/** One invocation of one of Mainstay's functions, as it tells of itself when it ends. */
export interface Seen {
  /** When it ended, in ms since 1970. */
  readonly at: number;
  /** The capability that the function belongs to. */
  readonly service: string;
  /** The function's name. */
  readonly fn: string;
  readonly durationMs: number;
  readonly coldStart: boolean;
  readonly memoryBytes?: number;
  readonly memoryLimitBytes?: number;
  readonly traceId?: string;
  /** Of a request, whose key it was made with. */
  readonly tenant?: string;
  /** Of a request of the API: API Gateway's route key (`GET /api/health`), and the status of the answer. */
  readonly request?: { readonly route: string; readonly status: number };
  /** What it failed of; a request has one when its answer is 5xx. */
  readonly error?: { readonly type: string; readonly message: string };
}

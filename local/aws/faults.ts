import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import type { RestApi, RestRequest, RestResponse } from './api.ts';
import { AwsError } from './operation.ts';

/** A fault for the next calls that match. Exactly one of `error`, `delayMs`, `disconnect` says what happens. */
export const faultSchema = z
  .strictObject({
    /** Signing name, for example `s3`. */
    service: z.string().min(1),
    /** For example `PutObject`; default every operation. */
    operation: z.string().min(1).optional(),
    /** Part of the ARN of whose calls it strikes, for example a function's role; default everybody's. */
    caller: z.string().min(1).optional(),
    /** How many calls it strikes. */
    times: z.int().min(1).max(1_000_000),
    /** Answer with this error instead of running the operation. */
    error: z
      .strictObject({
        status: z.int().min(400).max(599),
        code: z.string().min(1),
        message: z.string().optional(),
      })
      .optional(),
    /** Run the operation after this many milliseconds. */
    delayMs: z.int().min(1).max(900_000).optional(),
    /** Close the connection without an answer and without running the operation. */
    disconnect: z.literal(true).optional(),
  })
  .refine(
    (fault) => [fault.error, fault.delayMs, fault.disconnect].filter((x) => x !== undefined).length === 1,
    {
      error: 'needs exactly one of error, delayMs, disconnect',
    },
  );

export type Fault = z.infer<typeof faultSchema>;

/** A call that a fault may strike. */
export interface StruckCall {
  service: string;
  operation: string;
  /** ARN of the principal. */
  caller: string;
  signal?: AbortSignal;
}

/** The endpoint closes the connection when it meets this. */
export class Disconnect extends Error {
  constructor() {
    super('socket hang up');
    this.name = 'Disconnect';
  }
}

/** Faults that tests put between clients and services. */
export class Faults {
  #faults: Fault[] = [];

  /** Adds a fault behind those that are there. Throws `ZodError` when it is not a {@link Fault}. */
  add(fault: Fault): void {
    this.#faults.push({ ...faultSchema.parse(fault) });
  }

  clear(): void {
    this.#faults = [];
  }

  /** Faults that still strike, `times` being the calls left. */
  list(): readonly Fault[] {
    return this.#faults.map((fault) => ({ ...fault }));
  }

  /** Lets the first matching fault strike: waits, or throws {@link AwsError} or {@link Disconnect}. */
  async strike({ service, operation, caller, signal }: StruckCall): Promise<void> {
    const fault = this.#faults.find(
      (candidate) =>
        candidate.service === service &&
        (candidate.operation === undefined || candidate.operation === operation) &&
        (candidate.caller === undefined || caller.includes(candidate.caller)),
    );
    if (!fault) return;
    fault.times -= 1;
    if (fault.times === 0) this.#faults = this.#faults.filter((other) => other !== fault);
    if (fault.error) {
      const message = fault.error.message ?? `Injected fault in ${service}:${operation}`;
      throw new AwsError(fault.error.code, message, fault.error.status);
    }
    if (fault.disconnect) throw new Disconnect();
    await delay(fault.delayMs, undefined, { ...(signal && { signal }) });
  }
}

/**
 * The faults over HTTP, for tests in another process: `POST /_mainstay/faults` adds one, `GET` lists
 * and `DELETE` removes them. Requests are signed by the operator for the service `mainstay`.
 */
export function faultsApi(faults: Faults): RestApi {
  return {
    protocol: 'rest',
    signingName: 'mainstay',
    errors: 'json',
    operationOf: ({ method }) => `${method}Faults`,
    handle: (request) => handle(faults, request),
  };
}

async function handle(faults: Faults, request: RestRequest): Promise<RestResponse> {
  if (request.principal.kind !== 'operator') {
    throw new AwsError('AccessDenied', 'only the operator injects faults', 403);
  }
  if (request.rawPath !== '/_mainstay/faults') {
    throw new AwsError('ResourceNotFoundException', `Nothing is at ${request.rawPath}`, 404);
  }
  switch (request.method) {
    case 'GET':
      return {
        status: 200,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ faults: faults.list() }),
      };
    case 'DELETE':
      faults.clear();
      return { status: 204 };
    case 'POST':
      faults.add(await readFault(request));
      return { status: 204 };
    default:
      throw new AwsError('MethodNotAllowedException', `${request.method} is not known here`, 405);
  }
}

async function readFault(request: RestRequest): Promise<Fault> {
  const text = (await request.buffer(64 * 1024)).toString('utf8');
  try {
    return faultSchema.parse(JSON.parse(text));
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : 'the body is not JSON';
    throw new AwsError('ValidationException', `Not a fault: ${reason}`);
  }
}

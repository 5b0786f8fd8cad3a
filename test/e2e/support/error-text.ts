import { expect } from '@jest/globals';
import * as z from 'zod';
import type { RouteContract } from '../../../functions/shared/contract.ts';
import { problemSchema } from '../../../functions/shared/problem.ts';
import type { ApiAnswer } from './api.ts';

const rpcStatusSchema = z.strictObject({ code: z.int().min(1).max(16), message: z.string().min(1) });

/** Expects an error in the form that the route's protocol has for errors, and gives what it says. */
export function errorText(
  { protocol }: RouteContract,
  { status, headers, body }: ApiAnswer,
  expected: number,
) {
  const type = headers.get('content-type');
  switch (protocol) {
    case undefined:
      expect({ status, type }).toEqual({
        status: expected,
        type: expect.stringContaining('application/problem+json'),
      });
      return problemSchema.parse(body).detail ?? '';
    case 'otlp':
      expect({ status, type }).toEqual({ status: expected, type: 'application/json' });
      return rpcStatusSchema.parse(body).message;
    default:
      expect(status).toBe(expected);
      return JSON.stringify(body);
  }
}

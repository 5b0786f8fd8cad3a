import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { RequestLimits } from '../../../../functions/access/limits/request-limits.ts';
import { type AccessPolicy, accessPolicySchema } from '../../../../functions/access/policy.ts';
import type { RouteContract } from '../../../../functions/shared/contract.ts';
import type { Caller, HttpRequest } from '../../../../functions/shared/http-handler.ts';
import { Problem } from '../../../../functions/shared/problem.ts';

export const table = 'limits';
/** The start of a window of any length that divides a day. */
export const midnight = Date.parse('2026-11-21T00:00:00Z');

export const route: RouteContract = {
  method: 'GET',
  path: '/api/things',
  scope: 'admin',
  summary: 'Things',
  responses: {},
};

export const request = (changes: Partial<HttpRequest> = {}): HttpRequest => ({
  method: 'GET',
  path: '/api/things',
  headers: {},
  sourceIp: '192.0.2.1',
  requestId: 'r',
  time: new Date(midnight),
  ...changes,
});

let subjects = 0;
/** A caller whom no counter knows yet. */
export const newCaller = (changes: Partial<Caller> = {}): Caller => ({
  keyId: `key${subjects++}`,
  name: 'A key',
  scopes: ['admin'],
  tier: 'free',
  ...changes,
});

/** An address that no counter knows yet. */
export const newAddress = (): string => {
  const number = subjects++;
  return `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
};

export const policyOf = (settings: object): AccessPolicy => accessPolicySchema.parse(settings);

/** A process, as it were: it shares nothing with another but the table. */
export function processOf(client: DynamoDBDocumentClient, settings: object, now: () => number) {
  return new RequestLimits({ client, table, policy: policyOf(settings), now, deadlineMs: 60_000 });
}

/** @returns whether a request was let in. @throws whatever is not a refusal. */
export async function admitted(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (error instanceof Problem && error.kind === 'too-many-requests') return false;
    throw error;
  }
}

/** The problem by which a request was refused. */
export async function problemOf(work: Promise<unknown>): Promise<Problem> {
  const error: unknown = await work.catch((thrown: unknown) => thrown);
  if (error instanceof Problem) return error;
  throw new Error('It was not refused', { cause: error });
}

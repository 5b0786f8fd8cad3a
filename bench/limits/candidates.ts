import type { DynamoDB } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { RateLimiterDynamo, RateLimiterRes } from 'rate-limiter-flexible';
import * as z from 'zod';
import { RequestLimits } from '../../functions/access/limits/request-limits.ts';
import { accessPolicySchema, algorithmSchema } from '../../functions/access/policy.ts';
import type { RouteContract } from '../../functions/shared/contract.ts';
import { Problem } from '../../functions/shared/problem.ts';
import { tables } from './store.ts';

/** Decides about one request. */
export type Decide = () => Promise<boolean>;

export const candidateSchema = z.union([algorithmSchema, z.literal('rate-limiter-flexible')]);
export type Candidate = z.output<typeof candidateSchema>;

export const candidateNames: Readonly<Record<Candidate, string>> = {
  'sliding-window': 'Mainstay, sliding window',
  'token-bucket': 'Mainstay, token bucket',
  'rate-limiter-flexible': 'rate-limiter-flexible, RateLimiterDynamo',
};

/** Makes a limiter of so many requests in a minute, for one key. */
export function limiterOf(candidate: Candidate, client: DynamoDB, requests: number, key: string): Decide {
  return candidate === 'rate-limiter-flexible'
    ? peer(client, requests, key)
    : own(candidate, client, requests, key);
}

function own(
  algorithm: Exclude<Candidate, 'rate-limiter-flexible'>,
  client: DynamoDB,
  requests: number,
  key: string,
) {
  const policy = accessPolicySchema.parse({ algorithm, tiers: { free: requests } });
  const limits = new RequestLimits({
    client: DynamoDBDocumentClient.from(client),
    table: tables.own,
    policy,
  });
  const route: RouteContract = { method: 'GET', path: '/', scope: 'admin', summary: '', responses: {} };
  const request = {
    method: 'GET',
    path: '/',
    headers: {},
    sourceIp: '192.0.2.1',
    requestId: '',
    time: new Date(),
  };
  const caller = { keyId: key, name: '', scopes: [], tier: 'free' } as const;
  return async () => {
    try {
      await limits.ofCaller(request, caller, route);
      return true;
    } catch (error) {
      if (error instanceof Problem && error.status === 429) return false;
      throw error;
    }
  };
}

/** Set up as its documentation recommends for DynamoDB: keys that are used up are remembered in memory. */
function peer(client: DynamoDB, requests: number, key: string): Decide {
  const limiter = new RateLimiterDynamo({
    storeClient: client,
    tableName: tables.peer,
    tableCreated: true,
    ttlSet: true,
    points: requests,
    duration: 60,
    inMemoryBlockOnConsumed: requests,
  });
  return async () => {
    try {
      await limiter.consume(key);
      return true;
    } catch (error) {
      if (error instanceof RateLimiterRes) return false;
      throw error;
    }
  };
}

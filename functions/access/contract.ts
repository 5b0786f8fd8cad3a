import * as z from 'zod';
import { defineContract } from '../shared/contract.ts';

/**
 * What a function needs to know who calls it. Every function with a route that is not open extends this:
 * it reads the access table (`dynamodb:GetItem`) and the pepper (`secretsmanager:GetSecretValue`).
 */
export const callerEnvironment = z.object({
  /** Table of API keys. */
  ACCESS_TABLE: z.string().min(1),
  /** Secret whose value keys the hashes of API keys. */
  KEY_PEPPER_SECRET_ARN: z.string().startsWith('arn:'),
});

export const accessContract = defineContract({
  name: 'access',
  title: 'Access',
  description: 'Who may call what: API keys and their scopes.',
  routes: {},
  functions: {},
});

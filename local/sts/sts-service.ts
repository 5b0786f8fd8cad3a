import { createHash } from 'node:crypto';
import { AssumeRole$, GetCallerIdentity$ } from '@aws-sdk/client-sts';
import * as z from 'zod';
import type { QueryApi } from '../aws/api.ts';
import { type CredentialStore, rolePrincipal } from '../aws/credentials.ts';
import { parseInput } from '../aws/input.ts';

const assumeRoleSchema = z.strictObject({
  RoleArn: z.string().regex(/^arn:aws:iam::\d{12}:role\/[\w+=,.@/-]+$/),
  RoleSessionName: z.string().regex(/^[\w+=,.@-]{2,64}$/),
  DurationSeconds: z.int().min(900).max(43_200).default(3600),
  ExternalId: z.string().min(2).max(1224).optional(),
});

/** STS: who is calling, and sessions of roles that end. */
export class StsService {
  readonly api: QueryApi;

  constructor(options: { credentials: CredentialStore }) {
    this.api = {
      protocol: 'query',
      signingName: 'sts',
      xmlNamespace: 'https://sts.amazonaws.com/doc/2011-06-15/',
      operations: {
        GetCallerIdentity: {
          schema: GetCallerIdentity$,
          // AWS lets everyone ask who they are, whatever their policies say.
          authorize: () => [],
          run: (_, { principal, accountId }) => ({
            Account: accountId,
            Arn: principal.arn,
            UserId: userId(principal.kind === 'role' ? principal.roleArn : principal.arn, principal.arn),
          }),
        },
        AssumeRole: {
          schema: AssumeRole$,
          authorize: (input) => {
            const { RoleArn, RoleSessionName, ExternalId } = parseInput(
              'sts:AssumeRole',
              assumeRoleSchema,
              input,
            );
            const external = ExternalId === undefined ? {} : { 'sts:ExternalId': ExternalId };
            const context = { 'sts:RoleSessionName': RoleSessionName, ...external };
            return [{ action: 'sts:AssumeRole', resource: RoleArn, context }];
          },
          run: (input) => {
            const request = parseInput('sts:AssumeRole', assumeRoleSchema, input);
            const end = new Date(Math.floor(Date.now() / 1000) * 1000 + request.DurationSeconds * 1000);
            const session = options.credentials.forSession(request.RoleArn, request.RoleSessionName, end);
            const { accessKeyId, secretAccessKey, sessionToken, expiration } = session;
            const { arn } = rolePrincipal(request.RoleArn, request.RoleSessionName);
            return {
              Credentials: {
                AccessKeyId: accessKeyId,
                SecretAccessKey: secretAccessKey,
                SessionToken: sessionToken,
                Expiration: expiration,
              },
              AssumedRoleUser: { Arn: arn, AssumedRoleId: userId(request.RoleArn, arn) },
            };
          },
        },
      },
    };
  }
}

/** A stable id in AWS's form: `AROA…:<session>` for sessions of roles, `AIDA…` for users. */
function userId(identity: string, arn: string): string {
  const id = createHash('sha256').update(identity).digest('hex').toUpperCase().slice(0, 16);
  const session = arn.includes(':assumed-role/') ? arn.split('/').at(-1) : undefined;
  return session === undefined ? `AIDA${id}` : `AROA${id}:${session}`;
}

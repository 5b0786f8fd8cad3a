import * as z from 'zod';
import { type Condition, parseCondition, type RequestContext } from './conditions.ts';
import { matchesGlob } from './glob.ts';

/** A policy document as JSON; {@link parsePolicy} checks it. */
export type PolicyDocument = unknown;

/** What a policy is attached to; each kind has its own mandatory elements. */
export type PolicyKind = 'identity' | 'resource' | 'trust';

/** Whom a statement of a resource policy speaks of. */
export interface StatementPrincipals {
  everyone: boolean;
  /** Account ids, account root ARNs, role and session ARNs. */
  aws: readonly string[];
  /** For example `events.amazonaws.com`. */
  services: readonly string[];
}

export interface Statement {
  effect: 'Allow' | 'Deny';
  /** Only in resource policies. */
  principals: StatementPrincipals | undefined;
  /** Whether action and resource are covered and every condition holds. */
  covers(action: string, resource: string, context: RequestContext): boolean;
}

const oneOrMore = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat());
const scalar = z.union([z.string(), z.boolean(), z.number()]).transform(String);
const conditionValues = z.union([scalar, z.array(scalar)]).transform((value) => [value].flat());

const statementSchema = z
  .strictObject({
    Sid: z.string().optional(),
    Effect: z.enum(['Allow', 'Deny']),
    Principal: z
      .union([
        z.literal('*'),
        z.strictObject({
          AWS: oneOrMore.optional(),
          Service: oneOrMore.optional(),
          Federated: oneOrMore.optional(),
        }),
      ])
      .optional(),
    Action: oneOrMore.optional(),
    NotAction: oneOrMore.optional(),
    Resource: oneOrMore.optional(),
    NotResource: oneOrMore.optional(),
    Condition: z.record(z.string(), z.record(z.string(), conditionValues)).optional(),
  })
  .refine((statement) => (statement.Action === undefined) !== (statement.NotAction === undefined), {
    error: 'needs either Action or NotAction',
  })
  .refine((statement) => statement.Resource === undefined || statement.NotResource === undefined, {
    error: 'cannot have both Resource and NotResource',
  });

const documentSchema = z.strictObject({
  Version: z.enum(['2012-10-17', '2008-10-17']).optional(),
  Id: z.string().optional(),
  Statement: z.preprocess((value) => [value].flat(), z.array(statementSchema)),
});

/**
 * Checks a policy document and makes it ready to be asked.
 *
 * `owner` names whose it is in errors. Throws an `Error` for anything the local runtime would have to
 * guess about: unknown elements, operators and condition keys, policy variables, `NotPrincipal`.
 */
export function parsePolicy(owner: string, document: PolicyDocument, kind: PolicyKind): Statement[] {
  const parsed = documentSchema.safeParse(document);
  if (!parsed.success)
    throw new Error(`The policy of ${owner} is not valid: ${z.prettifyError(parsed.error)}`);
  return parsed.data.Statement.map((statement, index) => {
    try {
      checkElements(statement, kind);
      return parseStatement(statement);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`Statement ${statement.Sid ?? index + 1} of the policy of ${owner}: ${reason}`);
    }
  });
}

function checkElements(statement: z.infer<typeof statementSchema>, kind: PolicyKind): void {
  const hasResource = statement.Resource !== undefined || statement.NotResource !== undefined;
  const hasPrincipal = statement.Principal !== undefined;
  if (hasPrincipal !== (kind !== 'identity')) {
    throw new Error(
      hasPrincipal ? 'an identity policy has no Principal' : `a ${kind} policy needs a Principal`,
    );
  }
  if (hasResource !== (kind !== 'trust')) {
    throw new Error(hasResource ? 'a trust policy has no Resource' : `a ${kind} policy needs a Resource`);
  }
}

function parseStatement(statement: z.infer<typeof statementSchema>): Statement {
  const { Action, NotAction, Resource, NotResource } = statement;
  const actions = (Action ?? NotAction ?? []).map((pattern) => pattern.toLowerCase());
  const resources = Resource ?? NotResource;
  const conditions: Condition[] = [];
  for (const [operator, keys] of Object.entries(statement.Condition ?? {})) {
    for (const [key, values] of Object.entries(keys)) {
      refuseVariables(values);
      conditions.push(parseCondition(operator, key, values));
    }
  }
  refuseVariables(resources ?? []);
  return {
    effect: statement.Effect,
    principals: parsePrincipals(statement.Principal),
    covers: (action, resource, context) =>
      actions.some((pattern) => matchesGlob(pattern, action.toLowerCase())) === (Action !== undefined) &&
      // Trust policies have no resource: they are about the role they belong to.
      (resources === undefined ||
        resources.some((pattern) => matchesGlob(pattern, resource)) === (Resource !== undefined)) &&
      conditions.every((condition) => condition(context)),
  };
}

function parsePrincipals(
  principal: z.infer<typeof statementSchema>['Principal'],
): StatementPrincipals | undefined {
  if (principal === undefined) return undefined;
  if (principal === '*') return { everyone: true, aws: [], services: [] };
  if (principal.Federated) throw new Error('the local runtime has no federated principals');
  const aws = principal.AWS ?? [];
  return { everyone: aws.includes('*'), aws, services: principal.Service ?? [] };
}

function refuseVariables(values: readonly string[]): void {
  const variable = values.find((value) => value.includes('${'));
  if (variable !== undefined)
    throw new Error(`the local runtime does not know policy variables ('${variable}')`);
}

import { describe, it } from '@jest/globals';
import fc from 'fast-check';
import { rolePrincipal } from '../../../local/aws/credentials.ts';
import { Authorizer } from '../../../local/iam/authorizer.ts';
import { rolePolicies } from '../aws/emulated-aws.ts';

const roleArn = 'arn:aws:iam::000000000000:role/worker';
const principal = rolePrincipal(roleArn);

const action = fc.constantFrom('s3:GetObject', 's3:PutObject', 'dynamodb:GetItem');
const actionPattern = fc.oneof(action, fc.constantFrom('*', 's3:*', 's3:?etObject', 'dynamodb:Get*'));
const resource = fc.constantFrom('arn:aws:s3:::b/k', 'arn:aws:s3:::b/x/y', 'arn:aws:s3:::c');
const resourcePattern = fc.oneof(resource, fc.constantFrom('*', 'arn:aws:s3:::b/*', 'arn:aws:s3:::?'));
const condition = fc.oneof(
  fc.constant({}),
  fc.record({
    Condition: fc.record({ StringLike: fc.record({ 's3:prefix': fc.constantFrom('a', 'b*', '*') }) }),
  }),
);
const either = <T>(name: string, patterns: fc.Arbitrary<T>) =>
  fc
    .tuple(fc.constantFrom(name, `Not${name}`), fc.array(patterns, { minLength: 1, maxLength: 2 }))
    .map(([key, value]) => ({
      [key]: value,
    }));
const statement = (effect: 'Allow' | 'Deny') =>
  fc
    .tuple(either('Action', actionPattern), either('Resource', resourcePattern), condition)
    .map(([actions, resources, conditions]) => ({ Effect: effect, ...actions, ...resources, ...conditions }));
const anyStatement = fc.oneof(statement('Allow'), statement('Deny'));
interface Asked {
  action: string;
  resource: string;
  prefix: string | null;
}

const request: fc.Arbitrary<Asked> = fc.record({
  action,
  resource,
  prefix: fc.option(fc.constantFrom('a', 'bc', '')),
});

function allowed(statements: object[], bucketPolicy: object[], asked: Asked): boolean {
  const authorizer = new Authorizer();
  authorizer.setRole(roleArn, rolePolicies(statements));
  const Statement = bucketPolicy.map((entry) => ({ ...entry, Principal: { AWS: roleArn } }));
  for (const arn of ['arn:aws:s3:::b', 'arn:aws:s3:::c']) authorizer.setResourcePolicy(arn, { Statement });
  try {
    const context = asked.prefix === null ? {} : { context: { 's3:prefix': asked.prefix } };
    authorizer.check(principal, { action: asked.action, resource: asked.resource, ...context });
    return true;
  } catch {
    return false;
  }
}

const policies = fc.record({
  identity: fc.array(anyStatement, { maxLength: 4 }),
  bucket: fc.array(anyStatement, { maxLength: 3 }),
  asked: request,
});

describe('the decision about a request', () => {
  it('is no wherever an explicit deny covers it', () => {
    const covering = (asked: Asked) => ({
      Effect: 'Deny',
      Action: asked.action,
      Resource: asked.resource,
    });
    fc.assert(
      fc.property(policies, fc.boolean(), ({ identity, bucket, asked }, inBucket) => {
        const denied = inBucket
          ? allowed(identity, [...bucket, covering(asked)], asked)
          : allowed([...identity, covering(asked)], bucket, asked);
        return !denied;
      }),
    );
  });

  it('never turns to no because something is allowed in addition', () => {
    fc.assert(
      fc.property(
        policies,
        statement('Allow'),
        fc.boolean(),
        ({ identity, bucket, asked }, more, inBucket) => {
          const before = allowed(identity, bucket, asked);
          const after = inBucket
            ? allowed(identity, [...bucket, more], asked)
            : allowed([...identity, more], bucket, asked);
          return !before || after;
        },
      ),
    );
  });

  it('never turns to yes because something is denied in addition', () => {
    fc.assert(
      fc.property(policies, statement('Deny'), ({ identity, bucket, asked }, more) => {
        return allowed(identity, bucket, asked) || !allowed([...identity, more], bucket, asked);
      }),
    );
  });

  it('does not depend on the order of statements', () => {
    fc.assert(
      fc.property(policies, ({ identity, bucket, asked }) => {
        return (
          allowed(identity, bucket, asked) === allowed(identity.toReversed(), bucket.toReversed(), asked)
        );
      }),
    );
  });

  it('is no when nothing is allowed', () => {
    const denies = fc.array(statement('Deny'), { maxLength: 3 });
    fc.assert(
      fc.property(denies, denies, request, (identity, bucket, asked) => !allowed(identity, bucket, asked)),
    );
  });
});

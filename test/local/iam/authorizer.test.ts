import { beforeEach, describe, expect, it } from '@jest/globals';
import { rolePrincipal } from '../../../local/aws/credentials.ts';
import type { Authorization, Principal } from '../../../local/aws/operation.ts';
import { Authorizer } from '../../../local/iam/authorizer.ts';
import { accountId, allow, deny, rolePolicies } from '../aws/emulated-aws.ts';

const roleArn = `arn:aws:iam::${accountId}:role/path/worker`;
const role = rolePrincipal(roleArn, 'chunk');
const root = `arn:aws:iam::${accountId}:root`;
const bucket = 'arn:aws:s3:::backups';
const object = `${bucket}/a/b`;
const key = `arn:aws:kms:us-east-1:${accountId}:key/mrk-1`;

let authorizer: Authorizer;
beforeEach(() => {
  authorizer = new Authorizer();
});

const allows = (principal: Principal, authorization: Authorization) => {
  try {
    authorizer.check(principal, authorization);
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: 'AccessDenied', statusCode: 403 });
    return false;
  }
};
const identity = (...statements: object[]) => authorizer.setRole(roleArn, rolePolicies(statements));
const policy = (...Statement: object[]) => ({ Version: '2012-10-17', Statement });
const put = { action: 's3:PutObject', resource: object };

describe('identity policies', () => {
  it('allow what they name and nothing else', () => {
    identity(allow(['s3:Put*', 'S3:getobject'], `${bucket}/*`));
    expect(allows(role, put)).toBe(true);
    expect(allows(role, { ...put, action: 's3:GetObject' })).toBe(true);
    expect(allows(role, { ...put, action: 's3:DeleteObject' })).toBe(false);
    expect(allows(role, { ...put, resource: bucket })).toBe(false);
  });

  it('may name what they leave out', () => {
    identity({ Effect: 'Allow', NotAction: 's3:Delete*', NotResource: `${bucket}/locked/*` });
    expect(allows(role, put)).toBe(true);
    expect(allows(role, { ...put, action: 's3:DeleteObject' })).toBe(false);
    expect(allows(role, { ...put, resource: `${bucket}/locked/x` })).toBe(false);
  });

  it('say who, what and why when they refuse', () => {
    identity(allow('s3:GetObject'), deny('s3:DeleteObject'));
    expect(() => authorizer.check(role, put)).toThrow(
      'User: arn:aws:sts::000000000000:assumed-role/worker/chunk is not authorized to perform: s3:PutObject ' +
        `on resource: "${object}" because no identity-based policy allows the s3:PutObject action`,
    );
    expect(() => authorizer.check(role, { ...put, action: 's3:DeleteObject' })).toThrow(
      /with an explicit deny in an identity-based policy$/,
    );
  });

  it('of a role that is gone allow nothing', () => {
    identity(allow('*'));
    authorizer.removeRole(roleArn);
    expect(allows(role, put)).toBe(false);
  });

  it('never bind the operator', () => {
    identity(deny('*'));
    expect(allows({ kind: 'operator', arn: 'x' }, put)).toBe(true);
  });
});

describe('resource policies', () => {
  it('allow a role they name, without an identity policy', () => {
    identity();
    authorizer.setResourcePolicy(
      bucket,
      policy({ ...allow('s3:PutObject', `${bucket}/*`), Principal: { AWS: roleArn } }),
    );
    expect(allows(role, put)).toBe(true);
    expect(allows(rolePrincipal(`arn:aws:iam::${accountId}:role/other`), put)).toBe(false);
  });

  it('deny whatever identity policies allow', () => {
    identity(allow('*'));
    authorizer.setResourcePolicy(
      bucket,
      policy({ ...deny('s3:PutObject', `${bucket}/*`), Principal: { AWS: root } }),
    );
    expect(() => authorizer.check(role, put)).toThrow(/with an explicit deny in a resource-based policy$/);
    authorizer.removeResourcePolicy(bucket);
    expect(allows(role, put)).toBe(true);
  });

  it('leave it to identity policies when they name the account', () => {
    identity();
    authorizer.setResourcePolicy(
      bucket,
      policy({ ...allow('s3:*', `${bucket}/*`), Principal: { AWS: root } }),
    );
    expect(allows(role, put)).toBe(false);
    identity(allow('s3:PutObject'));
    expect(allows(role, put)).toBe(true);
  });

  it('decide alone about services and unsigned requests', () => {
    const invoke = {
      action: 'lambda:InvokeFunction',
      resource: 'arn:aws:lambda:us-east-1:000000000000:function:f',
    };
    const rule = 'arn:aws:events:us-east-1:000000000000:rule/r';
    const events = (sourceArn: string): Principal => ({
      kind: 'service',
      arn: 'events.amazonaws.com',
      sourceArn,
    });
    expect(allows(events(rule), invoke)).toBe(false);
    authorizer.setResourcePolicy(
      invoke.resource,
      policy({
        ...allow('lambda:InvokeFunction', invoke.resource, { ArnLike: { 'AWS:SourceArn': rule } }),
        Principal: { Service: 'events.amazonaws.com' },
      }),
    );
    expect(allows(events(rule), invoke)).toBe(true);
    expect(allows(events(`${rule}2`), invoke)).toBe(false);
    expect(allows({ kind: 'anonymous', arn: 'anonymous' }, invoke)).toBe(false);
  });

  it('take the loopback interface for TLS', () => {
    identity(allow('s3:*'));
    const insecure = { Bool: { 'aws:SecureTransport': 'false' } };
    authorizer.setResourcePolicy(bucket, policy({ ...deny('s3:*'), Condition: insecure, Principal: '*' }));
    expect(allows(role, put)).toBe(true);
  });
});

describe('keys', () => {
  const decrypt = { action: 'kms:Decrypt', resource: key };

  it('want their own policy to consent', () => {
    identity(allow('kms:*'));
    expect(allows(role, decrypt)).toBe(false);
    authorizer.setResourcePolicy(key, policy({ ...allow('kms:*'), Principal: { AWS: root } }));
    expect(allows(role, decrypt)).toBe(true);
    identity();
    expect(() => authorizer.check(role, decrypt)).toThrow(/no identity-based policy allows the kms:Decrypt/);
    authorizer.setResourcePolicy(key, policy({ ...allow('kms:Decrypt'), Principal: { AWS: roleArn } }));
    expect(allows(role, decrypt)).toBe(true);
  });

  it('leave actions on no key to identity policies', () => {
    identity(allow('kms:ListKeys'));
    expect(allows(role, { action: 'kms:ListKeys', resource: '*' })).toBe(true);
  });

  it('may be bound to a service and an encryption context', () => {
    const condition = {
      StringEquals: { 'kms:ViaService': 's3.us-east-1.amazonaws.com', 'kms:CallerAccount': accountId },
      StringLike: { 'kms:EncryptionContext:aws:s3:arn': `${bucket}*` },
    };
    authorizer.setResourcePolicy(key, policy({ ...allow('kms:*', '*', condition), Principal: '*' }));
    identity();
    const context = {
      'kms:ViaService': 's3.us-east-1.amazonaws.com',
      'kms:EncryptionContext:aws:s3:arn': bucket,
    };
    expect(allows(role, { ...decrypt, context })).toBe(true);
    expect(allows(role, decrypt)).toBe(false);
  });
});

describe('roles', () => {
  const assume = { action: 'sts:AssumeRole', resource: roleArn };

  it('are assumed by whom they trust', () => {
    const trust = policy({
      Effect: 'Allow',
      Principal: { Service: 'lambda.amazonaws.com' },
      Action: 'sts:AssumeRole',
    });
    authorizer.setRole(roleArn, { trust, policies: [] });
    expect(allows({ kind: 'service', arn: 'lambda.amazonaws.com' }, assume)).toBe(true);
    expect(allows({ kind: 'service', arn: 'events.amazonaws.com' }, assume)).toBe(false);
    const other = rolePrincipal(`arn:aws:iam::${accountId}:role/other`);
    authorizer.setRole(other.roleArn, rolePolicies([allow('sts:AssumeRole')]));
    expect(allows(other, assume)).toBe(false);
    authorizer.setRole(roleArn, rolePolicies([]));
    expect(allows(other, assume)).toBe(true);
  });

  it('are passed where PassRole allows it', () => {
    const condition = { StringEquals: { 'iam:PassedToService': 'scheduler.amazonaws.com' } };
    identity(allow('iam:PassRole', roleArn, condition));
    const pass = (service: string) => ({
      action: 'iam:PassRole',
      resource: roleArn,
      context: { 'iam:PassedToService': service },
    });
    expect(allows(role, pass('scheduler.amazonaws.com'))).toBe(true);
    expect(allows(role, pass('lambda.amazonaws.com'))).toBe(false);
  });
});

describe('what is not known', () => {
  const conditional = (condition: object) => () => identity(allow('s3:*', '*', condition));

  it.each<[string, () => void, RegExp]>([
    [
      'an operator',
      conditional({ StringAlmost: { 's3:prefix': 'a' } }),
      /Statement 1 .*role\/path\/worker.*StringAlmost/,
    ],
    [
      'a condition key',
      conditional({ StringEquals: { 'aws:SourceVpce': 'v' } }),
      /condition key aws:SourceVpce/,
    ],
    ['a policy variable', () => identity(allow('s3:*', `${bucket}/\${aws:username}`)), /policy variables/],
    ['an element', () => identity({ ...allow('s3:*'), NotPrincipal: '*' }), /NotPrincipal/],
    ['a statement without a resource', () => identity({ Effect: 'Allow', Action: '*' }), /needs a Resource/],
    [
      'a principal in an identity policy',
      () => identity({ ...allow('*'), Principal: '*' }),
      /has no Principal/,
    ],
    ['an effect', () => identity({ ...allow('*'), Effect: 'allow' }), /Effect/],
    ['no principal', () => authorizer.setResourcePolicy(bucket, policy(allow('*'))), /needs a Principal/],
  ])('%s is refused by name when a policy is set', (_, set, message) => expect(set).toThrow(message));

  it('is refused in the context of a request', () => {
    identity(allow('*'));
    const misspelt = { ...put, context: { 's3:prefx': 'a' } };
    expect(() => authorizer.check(role, misspelt)).toThrow(
      /s3:prefx, which local\/iam\/condition-keys.ts does not list/,
    );
  });
});

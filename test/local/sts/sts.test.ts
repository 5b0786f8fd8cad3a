import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { StsService } from '../../../local/sts/sts-service.ts';
import { allow, type EmulatedAws, startAws, testRole } from '../aws/emulated-aws.ts';

let aws: EmulatedAws;

beforeAll(async () => {
  aws = await startAws(({ credentials }) => [new StsService({ credentials }).api]);
});
afterAll(() => aws.close());

const whoAmI = (settings: ReturnType<typeof aws.client>) =>
  new STSClient(settings).send(new GetCallerIdentityCommand({}));
const assume = (settings: ReturnType<typeof aws.client>, RoleArn = testRole) =>
  new STSClient(settings).send(
    new AssumeRoleCommand({ RoleArn, RoleSessionName: 'someone', DurationSeconds: 900 }),
  );

describe('identity', () => {
  it('is told to anyone, whatever their policies', async () => {
    expect((await whoAmI(aws.client())).Arn).toBe('arn:aws:iam::000000000000:user/operator');
    const identity = await whoAmI(aws.asRole());
    expect(identity.Arn).toBe('arn:aws:sts::000000000000:assumed-role/test-role/mainstay');
    expect(identity.UserId).toMatch(/^AROA[0-9A-F]{16}:mainstay$/);
  });
});

describe('an assumed role', () => {
  it('has credentials of its own that end', async () => {
    aws.asRole();
    const { Credentials, AssumedRoleUser } = await assume(aws.client());
    expect(AssumedRoleUser?.Arn).toBe('arn:aws:sts::000000000000:assumed-role/test-role/someone');
    const end = Credentials?.Expiration?.getTime() ?? 0;
    expect(Math.abs(end - Date.now() - 900_000)).toBeLessThan(5000);
    const session = aws.client({
      accessKeyId: Credentials?.AccessKeyId ?? '',
      secretAccessKey: Credentials?.SecretAccessKey ?? '',
      sessionToken: Credentials?.SessionToken ?? '',
    });
    expect((await whoAmI(session)).Arn).toBe(AssumedRoleUser?.Arn);
    const ended = aws.client(aws.credentials.forSession(testRole, 'someone', new Date(Date.now() - 1)));
    await expect(whoAmI(ended)).rejects.toMatchObject({ name: expect.stringMatching(/^ExpiredToken/) });
  });

  it('needs its own trust and the caller’s permission', async () => {
    const trusting = 'arn:aws:iam::000000000000:role/trusting';
    const trust = (principal: object) => ({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: principal, Action: 'sts:AssumeRole' }],
    });
    aws.authorizer.setRole(trusting, { trust: trust({ Service: 'lambda.amazonaws.com' }), policies: [] });
    const permitted = aws.asRole(allow('sts:AssumeRole', trusting));
    await expect(assume(permitted, trusting)).rejects.toThrow(
      /no resource-based policy allows the sts:AssumeRole/,
    );
    aws.authorizer.setRole(trusting, { trust: trust({ AWS: '000000000000' }), policies: [] });
    await assume(permitted, trusting);
    await expect(assume(aws.asRole(), trusting)).rejects.toThrow(
      /no identity-based policy allows the sts:AssumeRole/,
    );
  });

  it('has to exist and be named as one', async () => {
    const caller = aws.asRole(allow('sts:AssumeRole'));
    await expect(assume(caller, `${testRole}-gone`)).rejects.toMatchObject({ name: 'AccessDenied' });
    await expect(assume(aws.client(), 'arn:aws:iam::000000000000:user/x')).rejects.toThrow(/RoleArn/);
  });
});

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Signer } from '@aws-sdk/rds-signer';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { CredentialStore, type Credentials } from '../../../local/aws/credentials.ts';
import { Authorizer } from '../../../local/iam/authorizer.ts';
import type { PostgresClusters } from '../../../local/postgres/clusters.ts';
import type { ClusterDescription } from '../../../local/postgres/description.ts';
import { iamTokenCheck } from '../../../local/postgres/iam.ts';
import { database, type Login, makeCluster, master, query, Sandbox } from './support.ts';

const region = 'us-east-1';
const accountId = '000000000000';
const roleArn = `arn:aws:iam::${accountId}:role/backup`;

let sandbox: Sandbox;
let credentials: CredentialStore;
let authorizer: Authorizer;
let clusters: PostgresClusters;
let cluster: ClusterDescription;
let login: Login;

const allow = (resource: string) => {
  const trust = {
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'lambda.amazonaws.com' } },
    ],
  };
  const policy = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 'rds-db:connect', Resource: resource }],
  };
  authorizer.setRole(roleArn, { trust, policies: [policy] });
};

beforeAll(async () => {
  sandbox = await Sandbox.create();
  credentials = CredentialStore.open(join(sandbox.directory, 'aws'), accountId);
  authorizer = new Authorizer({ region, accountId });
  clusters = await sandbox.clusters({
    checkToken: iamTokenCheck({ credentials, authorizer, region, accountId }),
  });
  cluster = await makeCluster(clusters, 'shard-a', 1);
  login = { ca: await readFile(clusters.authorityFile, 'utf8') };
  await query(cluster.endpoint, login, 'CREATE ROLE mainstay_backup LOGIN; GRANT rds_iam TO mainstay_backup');
  await query(cluster.endpoint, login, 'CREATE ROLE mainstay_stats LOGIN; GRANT rds_iam TO mainstay_stats');
}, 60_000);

afterAll(() => sandbox.dispose());

beforeEach(() => allow(`arn:aws:rds-db:${region}:${accountId}:dbuser:${cluster.resourceId}/mainstay_backup`));

interface TokenOptions {
  user?: string;
  port?: number;
  hostname?: string;
  /** The region it is signed for. */
  signed?: string;
  by?: Credentials;
}

function token(options: TokenOptions = {}): Promise<string> {
  const { user = 'mainstay_backup', port = cluster.endpoint.port, hostname = '127.0.0.1' } = options;
  const signer = new Signer({
    hostname,
    port,
    username: user,
    region: options.signed ?? region,
    credentials: options.by ?? credentials.forRole(roleArn),
  });
  return signer.getAuthToken();
}

const connectWith = (password: string, change: Partial<Login> = {}) =>
  query(cluster.endpoint, { ...login, user: 'mainstay_backup', password, ...change }, 'SELECT session_user');

const request = {
  identifier: 'shard-a',
  database,
  masterUsername: master.username,
  masterPassword: master.password,
};

const refusal = {
  code: '28000',
  message: 'PAM authentication failed for user "mainstay_backup"',
};

describe('a role with rds_iam', () => {
  it('connects with a token of an identity that may connect as it', async () => {
    expect(await connectWith(await token())).toEqual([{ session_user: 'mainstay_backup' }]);
  });

  it('connects at every endpoint with a token made for that endpoint', async () => {
    const instance = cluster.instances[0]?.endpoint ?? cluster.endpoint;
    const password = await token({ port: instance.port });
    const rows = await query(
      instance,
      { ...login, user: 'mainstay_backup', password },
      'SELECT session_user',
    );
    expect(rows).toEqual([{ session_user: 'mainstay_backup' }]);
    await expect(connectWith(password)).rejects.toMatchObject(refusal);
  });

  it('is refused without rds-db:connect, and the log says what was missing', async () => {
    authorizer.removeRole(roleArn);
    await expect(connectWith(await token())).rejects.toMatchObject(refusal);
    const log = await readFile(join(sandbox.stateDirectory, 'logs', 'shard-a-1.log'), 'utf8');
    expect(log).toContain('rds-db:connect');
    expect(log).toContain(`dbuser:${cluster.resourceId}/mainstay_backup`);
    expect(log).toContain('assumed-role/backup');
  });

  it('is refused where the permission is for another cluster', async () => {
    allow(`arn:aws:rds-db:${region}:${accountId}:dbuser:cluster-OTHER/mainstay_backup`);
    await expect(connectWith(await token())).rejects.toMatchObject(refusal);
  });

  it('is refused with the token of another database user', async () => {
    allow('*');
    await expect(connectWith(await token({ user: 'mainstay_stats' }))).rejects.toMatchObject(refusal);
  });

  it('is refused when the token was made for another host', async () => {
    await expect(connectWith(await token({ hostname: 'db.example.com' }))).rejects.toMatchObject(refusal);
  });

  it('is refused when the signature was made with another secret', async () => {
    const by = { ...credentials.forRole(roleArn), secretAccessKey: 'x'.repeat(40) };
    await expect(connectWith(await token({ by }))).rejects.toMatchObject(refusal);
  });

  it('is refused when anything signed was changed', async () => {
    const genuine = await token();
    await expect(
      connectWith(genuine.replace('X-Amz-Expires=900', 'X-Amz-Expires=899')),
    ).rejects.toMatchObject(refusal);
    await expect(connectWith(genuine.replace('Action=connect', 'Action=Connect'))).rejects.toMatchObject(
      refusal,
    );
  });

  it.each([' ', 'password', '127.0.0.1:5432/?Action=connect'])(
    'is refused with the password "%s"',
    async (password) => {
      await expect(connectWith(password)).rejects.toMatchObject(refusal);
    },
  );

  it('is refused without TLS', async () => {
    await expect(connectWith(await token(), { ca: false })).rejects.toMatchObject({
      code: '28000',
      message: /no encryption/,
    });
  });

  it('is refused without TLS even where the cluster does not force it', async () => {
    await clusters.ensureCluster({ ...request, forceSsl: false });
    await expect(connectWith(await token(), { ca: false })).rejects.toMatchObject({ code: '28000' });
    expect(await query(cluster.endpoint, { ...login, ca: false }, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await clusters.ensureCluster(request);
  });

  it('is refused where the cluster has IAM authentication turned off', async () => {
    await clusters.ensureCluster({ ...request, iamAuthentication: false });
    await expect(connectWith(await token())).rejects.toMatchObject(refusal);
    await clusters.ensureCluster(request);
    expect(await connectWith(await token())).toEqual([{ session_user: 'mainstay_backup' }]);
  });

  it('cannot use a password, even when it has one', async () => {
    await query(cluster.endpoint, login, `ALTER ROLE mainstay_backup PASSWORD 'secret'`);
    await expect(connectWith('secret')).rejects.toMatchObject(refusal);
  });

  it('is authenticated by password again once rds_iam is revoked', async () => {
    await query(
      cluster.endpoint,
      login,
      `CREATE ROLE changing LOGIN PASSWORD 'secret'; GRANT rds_iam TO changing`,
    );
    const attempt = { user: 'changing', password: 'secret' };
    await expect(connectWith('secret', attempt)).rejects.toMatchObject({ code: '28000' });
    await query(cluster.endpoint, login, 'REVOKE rds_iam FROM changing');
    expect(await connectWith('secret', attempt)).toEqual([{ session_user: 'changing' }]);
  });
});

describe('the region of a cluster', () => {
  it('is the one that the permission names; the token may be signed for the runtime’s as well', async () => {
    const check = iamTokenCheck({ credentials, authorizer, region, accountId });
    const { port } = cluster.endpoint;
    const claim = async (signed: string, own?: string) => {
      const user = 'mainstay_backup';
      return { token: await token({ signed }), user, port, resourceId: cluster.resourceId, region: own };
    };
    const [local, abroad] = [await claim(region, 'eu-west-1'), await claim('eu-west-1', 'eu-west-1')];
    for (const made of [local, abroad]) expect(() => check(made)).toThrow('rds-db:eu-west-1');
    allow(`arn:aws:rds-db:eu-west-1:${accountId}:dbuser:${cluster.resourceId}/mainstay_backup`);
    for (const made of [local, abroad]) expect(() => check(made)).not.toThrow();
    const elsewhere = [await claim('eu-west-2', 'eu-west-1'), await claim('eu-west-1')];
    for (const made of elsewhere) expect(() => check(made)).toThrow('signed for eu-west');
  });
});

describe('the life of a token', () => {
  it.each([
    [899, true],
    [901, false],
  ])('is 15 minutes: after %d seconds it works: %s', async (seconds, works) => {
    const made = await token();
    const later = Date.now() + seconds * 1000;
    const clock = jest.spyOn(Date, 'now').mockReturnValue(later);
    try {
      const check = iamTokenCheck({ credentials, authorizer, region, accountId });
      const claim = {
        token: made,
        user: 'mainstay_backup',
        port: cluster.endpoint.port,
        resourceId: cluster.resourceId,
      };
      if (works) expect(() => check(claim)).not.toThrow();
      else expect(() => check(claim)).toThrow('Request has expired');
    } finally {
      clock.mockRestore();
    }
  });
});

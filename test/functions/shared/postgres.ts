import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import { connect, type DatabaseOptions } from '../../../functions/shared/database.ts';
import { PostgresClusters } from '../../../local/postgres/clusters.ts';
import type { TokenClaim } from '../../../local/postgres/proxy/backend.ts';
import { passableDirectory } from '../../support/temporary-directory.ts';

/** A server as Aurora would give it: a master user who is no superuser, roles by IAM token, TLS. */
export interface TestPostgres {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly authorities: readonly string[];
  readonly master: { username: string; password: string };
  /** What clients have presented in place of a password; every token is accepted. */
  readonly claims: TokenClaim[];
  readonly clusters: PostgresClusters;
  /** Connects as the functions do; as the master user unless a user is named, who then presents a token. */
  connect(options?: Partial<DatabaseOptions>): Promise<pg.Client>;
  stop(): Promise<void>;
}

export const cluster = 'shard-a';

export async function startPostgres(): Promise<TestPostgres> {
  process.env.AWS_REGION ??= 'us-east-1';
  process.env.AWS_ACCESS_KEY_ID ??= 'test';
  process.env.AWS_SECRET_ACCESS_KEY ??= 'test';
  const directory = await passableDirectory('mainstay-test-');
  const claims: TokenClaim[] = [];
  const clusters = new PostgresClusters({
    pointInTime: false,
    stateDirectory: join(directory, 'state'),
    checkToken: (claim) => void claims.push(claim),
  });
  await clusters.start();
  const master = { username: 'mainstay_master', password: 'a %password/ of "tests"' };
  const database = 'platform';
  await clusters.ensureCluster({
    identifier: cluster,
    database,
    masterUsername: master.username,
    masterPassword: master.password,
  });
  const { endpoint } = await clusters.ensureInstance({ cluster, identifier: `${cluster}-1` });
  const { host, port } = endpoint;
  const authorities = [await readFile(clusters.authorityFile, 'utf8')];
  return {
    host,
    port,
    database,
    authorities,
    master,
    claims,
    clusters,
    connect: (options = {}) => {
      const login = options.user === undefined ? { user: master.username, password: master.password } : {};
      return connect({ host, port, database, authorities, user: '', ...login, ...options });
    },
    stop: async () => {
      await clusters.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

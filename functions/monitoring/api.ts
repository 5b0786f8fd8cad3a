import { openGate } from '../access/open-gate.ts';
import { dynamo, kms, s3 } from '../shared/clients.ts';
import { connect } from '../shared/database.ts';
import { httpFunction } from '../shared/http-function.ts';
import type { HttpHandlers } from '../shared/http-handler.ts';
import { ShardReader } from '../shared/shards.ts';
import { monitoringContract } from './contract.ts';
import { bucketProbe, keyProbe, shardProbes, tableProbe } from './probes.ts';
import { Readiness } from './readiness.ts';

/** `GET /api/health` and `GET /api/ready`. */
export const handler = httpFunction({
  contract: monitoringContract,
  functionContract: monitoringContract.functions.api,
  gate: openGate,
  handlers: (environment): HttpHandlers<typeof monitoringContract> => {
    const shards = new ShardReader(dynamo(), environment.SHARDS_TABLE);
    const readiness = new Readiness([
      tableProbe(dynamo(), 'recovery', environment.RECOVERY_TABLE),
      tableProbe(dynamo(), 'access', environment.ACCESS_TABLE),
      tableProbe(dynamo(), 'limits', environment.LIMITS_TABLE),
      tableProbe(dynamo(), 'idempotency', environment.IDEMPOTENCY_TABLE),
      tableProbe(dynamo(), 'audit', environment.AUDIT_TABLE),
      tableProbe(dynamo(), 'webhooks', environment.WEBHOOKS_TABLE),
      tableProbe(dynamo(), 'shards', environment.SHARDS_TABLE),
      tableProbe(dynamo(), 'cdn', environment.CDN_TABLE),
      tableProbe(dynamo(), 'tracing', environment.TRACING_TABLE),
      tableProbe(dynamo(), 'monitoring', environment.MONITORING_TABLE),
      bucketProbe(s3(), 'backups', environment.BACKUPS_BUCKET),
      keyProbe(kms(), 'encryption', environment.ENCRYPTION_KEY_ARN),
      keyProbe(kms(), 'hmac', environment.HMAC_KEY_ARN),
      shardProbes(shards, connect),
    ]);
    return {
      health: () => ({
        status: 200,
        body: {
          status: 'ok',
          environment: environment.MAINSTAY_ENVIRONMENT,
          version: environment.MAINSTAY_VERSION,
          time: new Date().toISOString(),
        },
      }),
      ready: async ({ log }) => {
        const body = await readiness.check(log);
        return { status: body.status === 'ready' ? 200 : 503, body };
      },
    };
  },
});

import { AdminKeys } from '../access/keys/admin-keys.ts';
import { KeyStore } from '../access/keys/key-store.ts';
import { pepperReader } from '../access/pepper.ts';
import { MapStore } from '../shards/map/map-store.ts';
import { evenly } from '../shards/map/shard-map.ts';
import { dynamo, lambda, scheduler, secretsManager } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { ensureAdminKey } from './admin-key.ts';
import { answerEvent } from './answer-event.ts';
import { bootstrapContract, bootstrapProperties } from './contract.ts';
import { isOwn, prepareDatabases } from './databases.ts';
import { prepareEscrow } from './prepare-escrow.ts';
import { restoresScript } from './restores-sql.ts';
import { ensureAutomation } from './schedules.ts';
import { seedShards } from './seed-shards.ts';
import { bootstrapScript, latestVersion } from './sql.ts';

/**
 * The custom resource of a deployment's first steps. Every step can be repeated; deleting the resource removes
 * nothing, because keys, schedules, shards and roles outlive it.
 */
export const handler = eventFunction({
  contract: bootstrapContract.functions['custom-resource'],
  handler: (environment) => (event, context) =>
    answerEvent(event, context, async ({ log, trace }) => {
      const { Shards, Slots, Counted, Automation } = bootstrapProperties.parse(event.ResourceProperties);
      const counted = Counted.map(({ Schema, Table, Key, Tenant }) => ({
        ...{ schema: Schema, table: Table, key: Key, tenant: Tenant },
      }));

      const kept = await seedShards(dynamo(), environment.SHARDS_TABLE, Shards);
      const mapCreated = await new MapStore(dynamo(), environment.SHARDS_TABLE).create({
        slots: Slots,
        ranges: evenly(
          Slots,
          Shards.map(({ Name }) => Name),
        ),
        changedAt: new Date().toISOString(),
        reason: 'first deployment',
      });
      const store = new KeyStore(dynamo(), environment.ACCESS_TABLE);
      const keyCreated = await ensureAdminKey({
        secrets: secretsManager(),
        secretArn: environment.ADMIN_KEY_SECRET_ARN,
        store,
        admins: new AdminKeys(dynamo(), environment.ACCESS_TABLE, store),
        pepper: pepperReader(secretsManager(), environment.KEY_PEPPER_SECRET_ARN),
        now: new Date(),
      });
      const databases = await prepareDatabases(Shards.filter(isOwn), {
        lambda: lambda(),
        secrets: secretsManager(),
        functionArn: environment.DATABASE_FUNCTION_ARN,
        counted,
        traceparent: trace.traceparent,
      });
      const escrow = await prepareEscrow(lambda(), environment.ESCROW_FUNCTION_ARN);
      if (escrow.state === 'missing' || escrow.state === 'failed') {
        log.warn('Only KMS opens backups: there is no escrow passphrase in use', { escrow });
      }
      // Last: nothing starts by itself before it can succeed, and a new role has had time to become known.
      const target = {
        group: environment.SCHEDULE_GROUP,
        stateMachineArn: environment.BACKUP_STATE_MACHINE_ARN,
        roleArn: environment.SCHEDULE_ROLE_ARN,
      };
      const schedules = await ensureAutomation(
        { client: scheduler(), target, dynamo: dynamo(), table: environment.RECOVERY_TABLE },
        Automation,
      );
      log.info('The deployment is prepared', { kept, mapCreated, keyCreated, schedules, databases });

      const adopted = Shards.filter((shard) => !isOwn(shard)).map(({ Name }) => Name);
      const result = {
        Version: String(latestVersion),
        AdoptedShards: adopted.join(','),
        Escrow: escrow.state,
      };
      if (adopted.length === 0) return result;
      // Too long for the answer: CloudFormation reads 4 096 bytes.
      const sql = `${bootstrapScript(counted)}${restoresScript()}`;
      log.warn('Run this SQL as an administrator in the database of each adopted shard', { adopted, sql });
      return result;
    }),
});

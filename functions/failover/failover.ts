import type * as z from 'zod';
import { dynamo, lambda, rds, rdsIn, stepFunctions } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { raiseEpoch, type Shard, ShardReader } from '../shared/shards.ts';
import { shardOfAlarm } from './alarm-event.ts';
import { type AttemptDependencies, attempt } from './attempt.ts';
import { failoverContract } from './contract.ts';
import { control } from './control.ts';
import { describeGlobal } from './discovery/global-database.ts';
import { refreshInstances } from './discovery/refresh-instances.ts';
import type { Decided, failoverResultSchema } from './events.ts';
import { examinationSchema } from './examination.ts';
import { Executions } from './executions.ts';
import { operateBy, tellerOf } from './parts.ts';
import { fenceResultSchema } from './phases/events.ts';
import { policyOf } from './policy.ts';
import { FailoverStore } from './store.ts';
import { tellUntold } from './teller.ts';
import { watchAll } from './watch-all.ts';
import type { WatchdogDependencies } from './watchdog.ts';

/** Decides, once, what is done about writers that do not serve: on alarms, every minute, and when it is asked to. */
export const handler = eventFunction({
  contract: failoverContract.functions.failover,
  handler: (environment) => {
    const { SHARDS_TABLE, FAILOVER_POLICY: policy, WRITER_ALARM_PREFIX } = environment;
    const store = new FailoverStore(dynamo(), SHARDS_TABLE);
    const executions = new Executions(stepFunctions(), environment.FAILOVER_STATE_MACHINE_ARN);
    const operate = operateBy(lambda(), environment.OPERATE_FUNCTION_ARN);
    const tellerWith = tellerOf(store, environment);
    const now = Date.now;
    const regions = { rds: rds(), inRegion: rdsIn };

    return async (event, { log, metrics, trace }): Promise<z.input<typeof failoverResultSchema>> => {
      const { traceparent } = trace;
      const telling = tellerWith(log);
      const deps: AttemptDependencies = {
        ...{ store, policy, now },
        examine: ({ name, database, epoch, writer }, instances) =>
          operate(
            {
              ...{ phase: 'examine', shard: name, traceparent, database, epoch, writer },
              instances: [...instances],
              timeoutMs: policy.probeTimeoutMs,
            },
            examinationSchema,
          ),
        describeGlobal: (identifier) => describeGlobal(regions, identifier),
        start: (name, input) => executions.start(name, input),
      };
      const discover = (shards: readonly Shard[]) =>
        refreshInstances(shards, {
          ...{ ...regions, client: dynamo(), table: SHARDS_TABLE, now, log },
          selfManaged: environment.SELF_MANAGED_INSTANCES,
          globalOf: (shard) => policyOf(policy, shard).globalClusterIdentifier,
        });
      /** A shard whose instances nobody has found yet has no candidates. */
      const discoverFirst = async (shard: string): Promise<void> => {
        const known = await store.know(shard);
        if (known !== undefined && known.instances === undefined) await discover([known.shard]);
      };
      const told = async (shard: string): Promise<void> => {
        const record = await store.record(shard);
        if (record !== undefined) await tellUntold(telling, record);
      };
      const note = (decided: Decided): Decided => {
        log.info('Decided', { ...decided });
        return decided;
      };

      if ('alarmArn' in event) {
        const shard = shardOfAlarm(event, WRITER_ALARM_PREFIX);
        const { value, reason } = event.alarmData.state;
        if (value !== 'ALARM') return { shards: [{ shard, outcome: 'nothing-to-do' }] };
        const asked = {
          kind: 'failover',
          trigger: 'alarm',
          reason: reason || 'The alarm was raised.',
        } as const;
        await discoverFirst(shard);
        const decided = await attempt(deps, shard, asked, traceparent);
        if (decided === undefined) throw new Error(`The alarm is about ${shard}, and there is no such shard`);
        await told(shard);
        return { shards: [note(decided)] };
      }

      if ('watchdog' in event) {
        const shards = await new ShardReader(dynamo(), SHARDS_TABLE).list();
        const watching: WatchdogDependencies = {
          ...deps,
          status: (name) => executions.status(name),
          raiseEpoch: (name, from) => raiseEpoch(dynamo(), SHARDS_TABLE, name, from),
          fenceOther: async ({ name, database, epoch }, { id, host, port }) => {
            const instance = { id, host, port };
            await operate(
              { phase: 'fence-other', shard: name, traceparent, database, epoch, instance },
              fenceResultSchema,
            );
          },
        };
        // RDS may take long, or not answer: what is unfinished does not wait for it.
        await Promise.all([
          discover(shards),
          watchAll(
            watching,
            telling,
            { log, metrics },
            shards.map(({ name }) => name),
            traceparent,
          ),
        ]);
        return { shards: [] };
      }

      const { command, requestedBy, reason } = event;
      if (command === 'failover') {
        const { shard, kind, target, acceptedLoss, dryRun, requestId } = event;
        const asked = {
          ...{ kind, reason, requestId, requestedBy, dryRun, target, acceptedLoss },
          trigger: 'request' as const,
        };
        await discoverFirst(shard);
        const decided = await attempt(deps, shard, asked, traceparent);
        if (decided === undefined) return { shards: [] };
        if (!dryRun) await told(shard);
        return { shards: [note(decided)] };
      }
      const known = await new ShardReader(dynamo(), SHARDS_TABLE).list();
      const chosen = known.filter(({ name }) => event.shard === undefined || event.shard === name);
      const by = { by: requestedBy, reason };
      const shards: Decided[] = [];
      for (const { name: shard } of chosen) {
        const record = await control(store, shard, command, by, { now: now(), traceparent });
        await tellUntold(telling, record);
        shards.push({ shard, outcome: 'nothing-to-do' });
      }
      return { shards };
    };
  },
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { contracts } from '../../functions/contracts.ts';
import { wakeUpMs } from '../../functions/shared/database.ts';
import { ofType, root, synthesize, variableBytes } from './support.ts';
import { functionsOf, statementsOf } from './template.ts';

const { platform } = synthesize('local');
const { resources } = platform;
const functions = functionsOf(resources);

const promised = contracts.flatMap((contract) =>
  Object.entries(contract.functions).map(([name, fn]) => ({
    name: `${contract.name}/${name}`,
    contract,
    fn,
  })),
);

describe('A function', () => {
  it('exists for every contract, and no other does', () => {
    expect([...functions.keys()].sort()).toEqual(promised.map(({ name }) => name).sort());
  });

  it.each(promised)(
    'is given exactly the environment that its contract names: $name',
    ({ name, contract, fn }) => {
      const { POWERTOOLS_SERVICE_NAME, ...variables } = functions.get(name)?.variables ?? {};
      expect(POWERTOOLS_SERVICE_NAME).toBe(contract.name);
      expect(Object.keys(variables).sort()).toEqual(
        [
          // What is optional is given where the deployment has it.
          ...Object.entries(fn.environment.shape)
            .filter(([name, schema]) => name in variables || !schema.safeParse(undefined).success)
            .map(([name]) => name),
          'MAINSTAY_FUNCTION',
          'NODE_OPTIONS',
          'POWERTOOLS_LOG_LEVEL',
          'POWERTOOLS_METRICS_NAMESPACE',
        ].sort(),
      );
    },
  );

  it.each(promised)('runs on Node.js 24 on arm64, traced, with a log that ends: $name', ({ name }) => {
    const properties = functions.get(name)?.properties;
    expect(properties).toMatchObject({
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      Handler: 'index.handler',
      TracingConfig: { Mode: 'Active' },
      LoggingConfig: { LogGroup: { Ref: expect.any(String) } },
    });
    expect(properties).not.toHaveProperty('ReservedConcurrentExecutions');
  });

  it('has a role that no other function has', () => {
    const roles = [...functions.values()].map(({ role }) => role);
    expect(new Set(roles).size).toBe(functions.size);
  });

  it('sits in the network when it talks to a database, and only then', () => {
    const inNetwork = [...functions]
      .filter(([, { properties }]) => 'VpcConfig' in properties)
      .map(([name]) => name);
    expect(inNetwork.sort()).toEqual([
      'bootstrap/database',
      'failover/operate',
      'failover/probe',
      'monitoring/api',
      'recovery/check-drill',
      'recovery/check-point-in-time',
      'recovery/chunk-pipeline',
      'recovery/dump-schema',
      'recovery/hold-snapshot',
      'recovery/restore-database',
      'recovery/restore-rows',
      'shards/analyze',
      'shards/health',
      'shards/insights',
      'shards/maintain',
    ]);
  });

  it('has time to wake a paused database up, where somebody waits for that', () => {
    const waiting = [
      ...['bootstrap/database', 'recovery/hold-snapshot', 'recovery/dump-schema'],
      ...['recovery/restore-database', 'recovery/restore-rows', 'recovery/check-drill'],
    ];
    for (const name of waiting) {
      expect(Number(functions.get(name)?.properties.Timeout)).toBeGreaterThan((4 * wakeUpMs) / 1000);
    }
    // Amazon's figure for one that has paused for more than a day.
    expect(wakeUpMs).toBeGreaterThan(30_000);
  });

  it('is documented where it sits', () => {
    const page = readFileSync(join(root, 'docs/operations/network.md'), 'utf8');
    const documented = page.matchAll(/^\| `([a-z]+\/[a-z-]+)` \| (in the VPC|outside) \|/gm);
    expect(Object.fromEntries([...documented].map(([, name, where]) => [name, where]))).toEqual(
      Object.fromEntries(
        [...functions].map(([name, { properties }]) => [
          name,
          'VpcConfig' in properties ? 'in the VPC' : 'outside',
        ]),
      ),
    );
  });

  it('has somewhere for events to go when it is invoked asynchronously', () => {
    const configured = ofType(platform, 'AWS::Lambda::EventInvokeConfig')
      .map(([, { Properties }]) => Properties)
      // What a probe is asked is asked again a minute later.
      .filter((properties) => properties.MaximumRetryAttempts !== 0);
    expect(configured.map(({ FunctionName }) => FunctionName)).toEqual(
      [
        'access/verify-audit',
        'access/dispatch-webhooks',
        'access/deliver-webhook',
        'recovery/conclude',
        'recovery/sweep',
        'recovery/derive-escrow',
        'recovery/expire',
        'recovery/restore-database',
        'recovery/conclude-drill',
        'recovery/discard-point-in-time',
        'recovery/start-import',
        'shards/analyze',
        'failover/failover',
        'failover/conclude-failover',
        'cdn/ingest-log',
        'cdn/fold-traffic',
        'cdn/run-purge',
        'cdn/content-changed',
        'cdn/run-warming',
        'metrics/count',
        'metrics/read-cloud',
        'metrics/observe',
      ].map((name) => ({
        Ref: functions.get(name)?.id,
      })),
    );
    for (const properties of configured) {
      expect(properties).toMatchObject({
        DestinationConfig: { OnFailure: { Destination: expect.anything() } },
      });
    }
  });

  it('keeps its settings below the 4 KB that Lambda takes, whatever ARNs turn out to be', () => {
    for (const [, { variables }] of functions) expect(variableBytes(variables)).toBeLessThan(4096);
  });
});

describe('A role', () => {
  const statements = statementsOf(resources);

  it('has no wildcard among its actions', () => {
    expect(statements.filter(({ actions }) => actions.some((action) => action.includes('*')))).toEqual([]);
  });

  it('covers every resource only for actions that know no resources', () => {
    const allowed = [
      /^xray:(PutTraceSegments|PutTelemetryRecords|GetSamplingRules|GetSamplingTargets)$/,
      /^ec2:(Create|Delete|Describe)NetworkInterfaces?$|^ec2:DescribeSubnets$|^ec2:(Una|A)ssignPrivateIpAddresses$/,
      /^logs:(\w+LogDelivery|ListLogDeliveries|\w+ResourcePolicy|DescribeResourcePolicies|DescribeLogGroups)$/,
      // CloudWatch tells of composite alarms only whoever may describe all alarms; metrics have no ARN.
      /^cloudwatch:(DescribeAlarm(s|History)|GetMetricData)$/,
    ];
    const unscoped = statements
      .filter(({ resources }) => resources.includes('*'))
      .flatMap(({ actions }) => actions);
    expect(unscoped.filter((action) => !allowed.some((pattern) => pattern.test(action)))).toEqual([]);
  });

  it('ends every other pattern where the name of one thing ends', () => {
    const patterns = statements
      .flatMap(({ resources }) => resources)
      .filter((resource) => resource !== '*' && resource.includes('*'));
    // Objects of the backups bucket, executions of one workflow, instances of the account.
    const known = [/BackupsBucket\w+Arn\w*>\/([a-z]+\/)?\*$/, /Machine\w+\.Name>[:/]\*$/, /:db:\*$/];
    // What restores to a point in time make, who logs in to it, and the groups that it is made with.
    known.push(/:(cluster|db):mainstay-local-0-\*$/, /:dbuser:cluster-\*\/mainstay_[a-z]+$/);
    // Files, and the parameters below the deployment's own path.
    known.push(/BucketsAssets\w+Arn\w*>\/\*$/, /:parameter\/mainstay\/local\/\*$/);
    // Schedules that users make, in a group of their own.
    known.push(/:schedule\/mainstay-local-cdn\/warming-\*$/);
    known.push(/EdgeLogsBucket\w+Arn\w*>\/(AWSLogs|cloudflare|fastly|pending|totals)\/\*$/);
    known.push(/:(subgrp|cluster-pg|pg):\*$/, /:og:default\*$/);
    expect(patterns.length).toBeGreaterThan(0);
    expect(patterns.filter((pattern) => !known.some((form) => form.test(pattern)))).toEqual([]);
  });

  it('makes, changes and deletes clusters only by names that no deployed cluster has', () => {
    const changing = /^rds:(Create|Modify|Delete|Restore|AddTags)/;
    const touched = statements
      .filter(({ actions }) => actions.some((action) => changing.test(action)))
      .flatMap(({ actions, resources }) => resources.map((resource) => ({ actions, resource })))
      .filter(
        ({ resource }) =>
          /:(cluster|db):/.test(resource) && !/:(cluster|db):mainstay-local-0-\*$/.test(resource),
      );
    // A restore reads the clusters of the shards.
    expect([...new Set(touched.flatMap(({ actions }) => actions))]).toEqual([
      'rds:RestoreDBClusterToPointInTime',
    ]);
    const deleting = statements.filter(({ actions }) =>
      actions.some((action) => action.startsWith('rds:Delete')),
    );
    expect(new Set(deleting.map(({ role }) => role))).toEqual(
      new Set([functions.get('recovery/discard-point-in-time')?.role]),
    );
  });

  it('lets a function log in to databases only as the user it is made for', () => {
    const users = Object.fromEntries(
      [...functions].flatMap(([name, { role }]) => {
        const found = statements
          .filter((statement) => statement.role === role && statement.actions.includes('rds-db:connect'))
          .flatMap(({ resources }) => resources.map((resource) => resource.split('/').at(-1)));
        return found.length === 0 ? [] : [[name, [...new Set(found)]]];
      }),
    );
    expect(users).toEqual({
      'failover/operate': ['mainstay_failover'],
      'failover/probe': ['mainstay_probe'],
      'monitoring/api': ['mainstay_probe'],
      'recovery/check-drill': ['mainstay_backup', 'mainstay_restore'],
      'recovery/check-point-in-time': ['mainstay_restore'],
      'recovery/chunk-pipeline': ['mainstay_backup'],
      'recovery/dump-schema': ['mainstay_backup'],
      'recovery/hold-snapshot': ['mainstay_backup'],
      'recovery/restore-database': ['mainstay_restore'],
      'recovery/restore-rows': ['mainstay_restore'],
      'shards/analyze': ['mainstay_stats'],
      'shards/health': ['mainstay_stats'],
      'shards/insights': ['mainstay_stats'],
      'shards/maintain': ['mainstay_maintain'],
    });
  });

  /** What a table is used for, by function: actions, and the partition keys they are held to. */
  const usesOf = (table: string) =>
    [...functions].flatMap(([name, { role }]) =>
      statements
        .filter(
          (each) => each.role === role && each.resources.some((arn) => arn.includes(`Tables${table}Table`)),
        )
        .map(({ actions, condition }) => ({ name, actions, condition })),
    );
  const heldTo = (...keys: string[]) => ({ 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': keys } });

  it('lets functions count requests and note uses of keys, and only one change the lists of addresses', () => {
    const writing = usesOf('Limits').filter(({ actions }) =>
      actions.some((action) => !action.endsWith(':GetItem')),
    );
    const [whole, part] = [
      writing.filter(({ condition }) => condition === undefined),
      writing.filter(({ condition }) => condition !== undefined),
    ];
    expect(whole.map(({ name }) => name)).toEqual(['access/api']);
    expect(part.map(({ name }) => name)).toEqual(expect.arrayContaining(['monitoring/api', 'recovery/api']));
    for (const { actions, condition } of part) {
      expect(actions).toEqual(['dynamodb:UpdateItem']);
      expect(condition).toEqual(heldTo('COUNT#*', 'KEY#*', 'REFUSED#*'));
    }
  });

  it('lets functions keep the work ids and answers of repeated requests, and none remove them', () => {
    const keeping = usesOf('Idempotency').filter(({ condition }) => condition === undefined);
    expect(keeping.map(({ name }) => name)).toEqual(expect.arrayContaining(['access/api', 'recovery/api']));
    for (const { actions } of keeping) {
      expect(actions.toSorted()).toEqual(['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem']);
    }
  });

  it('lets functions add to the audit trail, and none change it', () => {
    const adding = usesOf('Audit').filter(({ condition }) => condition === undefined);
    expect(adding.map(({ name }) => name)).toContain('access/deliver-webhook');
    for (const { actions } of adding)
      expect(actions.toSorted()).toEqual(['dynamodb:PutItem', 'dynamodb:Query']);
  });

  it('lets the functions of webhooks read tenants, and no keys', () => {
    for (const webhooks of ['access/dispatch-webhooks', 'access/deliver-webhook']) {
      expect(usesOf('Access').filter(({ name }) => name === webhooks)).toEqual([
        { name: webhooks, actions: ['dynamodb:GetItem'], condition: heldTo('TENANT#*') },
      ]);
    }
  });

  it.each(['Recovery', 'Access', 'Idempotency', 'Audit', 'Webhooks'])(
    'lets whoever asks whether the table %s answers read nothing in it',
    (table) => {
      expect(usesOf(table).filter(({ name }) => name === 'monitoring/api')).toEqual([
        { name: 'monitoring/api', actions: ['dynamodb:GetItem'], condition: heldTo('READY') },
      ]);
    },
  );

  it('lets only those pass a role that make schedules, and only to the scheduler', () => {
    const passing = statements.filter(({ actions }) => actions.includes('iam:PassRole'));
    const makers = ['bootstrap/custom-resource', 'cdn/api', 'recovery/api'].map(
      (name) => functions.get(name)?.role,
    );
    expect(passing.map(({ role }) => role).sort()).toEqual(makers.sort());
    for (const { condition } of passing) {
      expect(condition).toEqual({ StringEquals: { 'iam:PassedToService': 'scheduler.amazonaws.com' } });
    }
  });

  it('knows the schedules of backups by their names', () => {
    const schedules = statements
      .filter(({ actions }) => actions.some((action) => action.startsWith('scheduler:')))
      .flatMap(({ resources }) => resources.map((resource) => resource.split('schedule/').at(-1)));
    expect([...new Set(schedules)].sort()).toEqual([
      'mainstay-local-cdn/warming-*',
      'mainstay-local/full-backup-daily',
      'mainstay-local/incremental-backup',
    ]);
  });
});

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Match } from 'aws-cdk-lib/assertions';
import * as z from 'zod';
import { contracts } from '../../functions/contracts.ts';
import type { RouteContract } from '../../functions/shared/contract.ts';
import { ofType, root, synthesize } from './support.ts';
import { circleIn, functionsOf } from './template.ts';

const { stateful, platform, stacks } = synthesize('local');
const { template, resources } = platform;
const functions = functionsOf(resources);

describe('The API', () => {
  const routes = ofType(platform, 'AWS::ApiGatewayV2::Route').map(([, { Properties }]) => Properties);

  it('has exactly the routes of the contracts, and one for everything else', () => {
    const expected = contracts.flatMap(({ routes }) =>
      Object.values(routes).map(({ method, path }) => `${method} ${path}`),
    );
    expect(routes.map(({ RouteKey }) => RouteKey).sort()).toEqual([...expected, '$default'].sort());
  });

  it.each(contracts.filter(({ routes }) => Object.keys(routes).length > 0))(
    'sends the routes of $name to the functions that serve them',
    ({ name, routes: ofContract }) => {
      for (const { method, path, servedBy = 'api' } of Object.values<RouteContract>(ofContract)) {
        const route = routes.find(({ RouteKey }) => RouteKey === `${method} ${path}`);
        const [, integration] = /"Ref":"(\w+)"/.exec(JSON.stringify(route?.Target)) ?? [];
        expect(resources[integration ?? '']?.Properties).toMatchObject({
          IntegrationUri: { 'Fn::GetAtt': [functions.get(`${name}/${servedBy}`)?.id, 'Arn'] },
          PayloadFormatVersion: '2.0',
        });
      }
    },
  );

  it('waits longer than its functions take, and they end before it gives up', () => {
    for (const [, { Properties }] of ofType(platform, 'AWS::ApiGatewayV2::Integration')) {
      expect(Properties.TimeoutInMillis).toBe(29_000);
    }
    for (const [name, { properties }] of functions) {
      if (name.endsWith('/api')) expect(properties.Timeout).toBeLessThan(29);
    }
  });

  it('writes an access log in JSON and limits the rate', () => {
    template.hasResourceProperties('AWS::ApiGatewayV2::Stage', {
      StageName: '$default',
      AutoDeploy: true,
      DefaultRouteSettings: { ThrottlingRateLimit: 50, ThrottlingBurstLimit: 100 },
      AccessLogSettings: {
        Format: Match.serializedJson(Match.objectLike({ requestId: '$context.requestId' })),
      },
    });
  });

  it('is told to nobody’s browser by default', () => {
    template.hasResourceProperties('AWS::ApiGatewayV2::Api', { CorsConfiguration: Match.absent() });
  });
});

describe('An alarm', () => {
  const alarms = ofType(platform, 'AWS::CloudWatch::Alarm').map(([, { Properties }]) => Properties);

  it('exists for what nobody would see otherwise', () => {
    expect(alarms.map(({ AlarmName }) => AlarmName).sort()).toEqual(
      [
        'audit-broken',
        'audit-lost',
        'audit-unverified',
        'backup-damaged',
        'backup-failed',
        'backup-missed',
        'budget-burn-fast-5m',
        'budget-burn-fast-60m',
        'budget-burn-slow-30m',
        'budget-burn-slow-360m',
        'database-connections',
        'database-memory-shard-a',
        'database-memory-shard-b',
        'dead-letters',
        'drill-failed',
        'edge-hit-rate',
        'edge-log-lag',
        'edge-server-errors',
        'error-rate',
        'escrow-missing',
        'failover-done',
        'failover-held',
        'function-errors-analyze',
        'function-errors-conclude',
        'function-errors-conclude-drill',
        'function-errors-conclude-failover',
        'function-errors-content-changed',
        'function-errors-count-metrics',
        'function-errors-deliver-webhook',
        'function-errors-derive-escrow',
        'function-errors-discard-point-in-time',
        'function-errors-dispatch-webhooks',
        'function-errors-expire',
        'function-errors-failover',
        'function-errors-fold-traffic',
        'function-errors-ingest-log',
        'function-errors-observe',
        'function-errors-read-cloud',
        'function-errors-restore-database',
        'function-errors-run-purge',
        'function-errors-run-warming',
        'function-errors-shard-health',
        'function-errors-start-import',
        'function-errors-sweep',
        'function-errors-verify-audit',
        'function-memory',
        'function-throttles-analyze',
        'function-throttles-conclude',
        'function-throttles-conclude-drill',
        'function-throttles-conclude-failover',
        'function-throttles-content-changed',
        'function-throttles-count-metrics',
        'function-throttles-deliver-webhook',
        'function-throttles-derive-escrow',
        'function-throttles-discard-point-in-time',
        'function-throttles-dispatch-webhooks',
        'function-throttles-expire',
        'function-throttles-failover',
        'function-throttles-fold-traffic',
        'function-throttles-ingest-log',
        'function-throttles-observe',
        'function-throttles-read-cloud',
        'function-throttles-restore-database',
        'function-throttles-run-purge',
        'function-throttles-run-warming',
        'function-throttles-shard-health',
        'function-throttles-start-import',
        'function-throttles-sweep',
        'function-throttles-verify-audit',
        'new-error-pattern',
        'probe-cut-off',
        'purge-failed',
        'replica-lag',
        'restore-failed',
        'rpo-over-target',
        'rto-over-target',
        'second-writer',
        'shard-unhealthy',
        'shards-uneven',
        'slow-answers',
        'slow-queries',
        'stuck-transactions',
        'traces-late',
        'traces-lost',
        'transaction-wraparound',
        'warming-failed',
        'webhook-disabled',
        'writer-down-shard-a',
        'writer-down-shard-b',
      ].map((name) => `mainstay-local-${name}`),
    );
  });

  it('says what is wrong, names a runbook that exists, and tells somebody at both ends', () => {
    const [topic = 'none'] = Object.keys(template.findResources('AWS::SNS::Topic'));
    const isTopic = (action: unknown) => JSON.stringify(action).includes(topic);
    for (const { AlarmName, AlarmDescription, AlarmActions, OKActions } of alarms) {
      const [, runbook] =
        /^.{20,}\.\nRunbook: (docs\/runbooks\/[a-z-]+\.md)$/.exec(String(AlarmDescription)) ?? [];
      expect(existsSync(join(root, runbook ?? 'missing'))).toBe(true);
      // A composite alarm tells in the place of its parts.
      if (/-budget-burn-/.test(String(AlarmName))) {
        expect([AlarmActions, OKActions]).toEqual([undefined, undefined]);
        continue;
      }
      const [told, ...acting] = z.array(z.unknown()).parse(AlarmActions);
      expect([isTopic(told), acting.length <= 1]).toEqual([true, true]);
      expect(z.array(z.unknown()).parse(OKActions).map(isTopic)).toEqual([true]);
    }
  });

  it('of lost traces counts two of three runs of the canary, silent ones among them', () => {
    expect(alarms.find(({ AlarmName }) => AlarmName === 'mainstay-local-traces-lost')).toMatchObject({
      ...{ MetricName: 'CanaryLost', Statistic: 'Maximum', Period: 300, Threshold: 1 },
      ...{ EvaluationPeriods: 3, DatapointsToAlarm: 2, TreatMissingData: 'breaching' },
    });
  });

  it('of missed backups counts an hour without any data as an hour without a backup', () => {
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: 'mainstay-local-backup-missed',
      ComparisonOperator: 'LessThanThreshold',
      Threshold: 1,
      Period: 3600,
      EvaluationPeriods: 26,
      DatapointsToAlarm: 26,
      TreatMissingData: 'breaching',
    });
  });

  it('may publish to the topic, over TLS, and nobody else is let in', () => {
    template.hasResourceProperties('AWS::SNS::Topic', { KmsMasterKeyId: Match.anyValue() });
    template.hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: {
        Statement: [
          Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
          Match.objectLike({ Effect: 'Allow', Principal: { Service: 'cloudwatch.amazonaws.com' } }),
        ],
      },
    });
  });
});

describe('What happens by itself', () => {
  it('concludes a backup, a verification or a restore whose execution ended badly', () => {
    template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: {
        source: ['aws.states'],
        'detail-type': ['Step Functions Execution Status Change'],
        detail: {
          status: ['FAILED', 'TIMED_OUT', 'ABORTED'],
          stateMachineArn: Array.from({ length: 8 }, () => Match.anyValue()),
        },
      },
      Targets: [
        Match.objectLike({
          Arn: { 'Fn::GetAtt': [functions.get('recovery/conclude')?.id, 'Arn'] },
          DeadLetterConfig: Match.anyValue(),
        }),
      ],
    });
  });

  it('removes leftovers of backups and of restores every hour', () => {
    template.hasResourceProperties('AWS::Events::Rule', {
      ScheduleExpression: 'rate(1 hour)',
      Targets: [
        Match.objectLike({
          Arn: { 'Fn::GetAtt': [functions.get('recovery/sweep')?.id, 'Arn'] },
          Input: '{}',
        }),
        Match.objectLike({
          Arn: { 'Fn::GetAtt': [functions.get('recovery/restore-database')?.id, 'Arn'] },
          Input: '{"phase":"discard"}',
        }),
        Match.objectLike({
          Arn: { 'Fn::GetAtt': [functions.get('recovery/discard-point-in-time')?.id, 'Arn'] },
          Input: '{}',
        }),
      ],
    });
  });

  it('looks every hour for backups to expire', () => {
    template.hasResourceProperties('AWS::Events::Rule', {
      ScheduleExpression: 'rate(1 hour)',
      Targets: [
        Match.objectLike({
          Arn: { 'Fn::GetAtt': [functions.get('recovery/expire')?.id, 'Arn'] },
          Input: '{}',
        }),
      ],
    });
  });

  it('leaves schedules of backups and warmings to their users: there are groups and roles, and no schedule', () => {
    template.resourceCountIs('AWS::Scheduler::ScheduleGroup', 2);
    template.resourceCountIs('AWS::Scheduler::Schedule', 0);
  });

  it('bootstraps again when its code or the shards change, and waits for what it needs', () => {
    template.hasResource('Custom::MainstayBootstrap', {
      Properties: {
        ServiceTimeout: '960',
        Revision: 'revision',
        Shards: [
          Match.objectLike({ Name: 'shard-a', MasterSecretArn: Match.anyValue() }),
          Match.objectLike({ Name: 'shard-b', MasterSecretArn: Match.anyValue() }),
        ],
      },
      DependsOn: Match.arrayWith([
        functions.get('bootstrap/database')?.id ?? '',
        Match.stringLikeRegexp('^BootstrapSchedulesGroup'),
        Match.stringLikeRegexp('^BootstrapSchedulesRoleDefaultPolicy'),
      ]),
    });
    expect(functions.get('bootstrap/custom-resource')?.properties.Timeout).toBeLessThan(960);
  });
});

describe('The stack', () => {
  it('says where the API is and where the first admin key', () => {
    template.hasOutput('ApiUrl', {});
    template.hasOutput('AdminKeySecretArn', {});
  });

  it('has no resources that wait for each other in a circle, and neither has the other stack', () => {
    expect(circleIn(platform.resources)).toEqual([]);
    expect(circleIn(stateful.resources)).toEqual([]);
  });

  it('takes values from the Stateful stack and gives it none', () => {
    expect(JSON.stringify(resources)).toContain('Fn::GetStackOutput');
    expect(JSON.stringify(stateful.resources)).not.toContain('Fn::GetStackOutput');
    expect(JSON.stringify([resources, stateful.resources])).not.toContain('Fn::ImportValue');
  });

  it('fits into one template', () => {
    for (const { resources, template } of stacks.values()) {
      expect(Object.keys(resources).length).toBeLessThan(450);
      expect(JSON.stringify(template.toJSON()).length).toBeLessThan(900_000);
    }
  });

  it('has no name that a second environment of the same account would have too', () => {
    const named = [
      'AlarmName',
      'EventBusName',
      'DashboardName',
      'LogGroupName',
      'FunctionName',
      'RoleName',
      'QueueName',
    ];
    for (const { Type, Properties } of Object.values(resources)) {
      if (Type === 'AWS::Lambda::Permission' || Type === 'AWS::Lambda::EventInvokeConfig') continue;
      for (const name of named) {
        if (typeof Properties[name] === 'string') expect(Properties[name]).toContain('mainstay-local');
      }
      if (Type === 'AWS::Scheduler::ScheduleGroup') expect(Properties.Name).toMatch(/^mainstay-local(-|$)/);
    }
  });
});

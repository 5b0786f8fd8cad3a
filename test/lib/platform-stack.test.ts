import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Match } from 'aws-cdk-lib/assertions';
import { contracts } from '../../functions/contracts.ts';
import { ofType, root, synthesize } from './support.ts';
import { circleIn, functionsOf, statementsOf } from './template.ts';

const { stateful, platform } = synthesize('local');
const { template, resources } = platform;
const functions = functionsOf(resources);

const promised = contracts.flatMap((contract) =>
  Object.entries(contract.functions).map(([name, fn]) => ({
    name: `${contract.name}/${name}`,
    contract,
    fn,
  })),
);

describe('The API', () => {
  const routes = ofType(platform, 'AWS::ApiGatewayV2::Route').map(([, { Properties }]) => Properties);

  it('has exactly the routes of the contracts, and one for everything else', () => {
    const expected = contracts.flatMap(({ routes }) =>
      Object.values(routes).map(({ method, path }) => `${method} ${path}`),
    );
    expect(routes.map(({ RouteKey }) => RouteKey).sort()).toEqual([...expected, '$default'].sort());
  });

  it.each(contracts.filter(({ routes }) => Object.keys(routes).length > 0))(
    'sends the routes of $name to its API function',
    ({ name, routes: ofContract }) => {
      for (const { method, path } of Object.values(ofContract)) {
        const route = routes.find(({ RouteKey }) => RouteKey === `${method} ${path}`);
        const [integration] = /HttpApi\w+/.exec(JSON.stringify(route?.Target)) ?? [''];
        expect(resources[integration]?.Properties).toMatchObject({
          IntegrationUri: { 'Fn::GetAtt': [functions.get(`${name}/api`)?.id, 'Arn'] },
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
          ...Object.keys(fn.environment.shape),
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
      'monitoring/api',
      'recovery/chunk-pipeline',
      'recovery/dump-schema',
      'recovery/hold-snapshot',
      'recovery/plan-chunks',
    ]);
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
    const configured = ofType(platform, 'AWS::Lambda::EventInvokeConfig').map(
      ([, { Properties }]) => Properties,
    );
    expect(configured.map(({ FunctionName }) => FunctionName)).toEqual(
      ['recovery/conclude', 'recovery/sweep'].map((name) => ({ Ref: functions.get(name)?.id })),
    );
    for (const properties of configured) {
      expect(properties).toMatchObject({
        DestinationConfig: { OnFailure: { Destination: expect.anything() } },
      });
    }
  });

  it('keeps its settings below the 4 KB that Lambda takes, whatever ARNs turn out to be', () => {
    for (const [, { variables }] of functions) {
      const size = Object.entries(variables).reduce(
        (sum, [name, value]) => sum + name.length + (typeof value === 'string' ? value.length : 200),
        0,
      );
      expect(size).toBeLessThan(4096);
    }
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
    // Objects of the backups bucket, executions of one workflow, schedules of one group, instances of the account.
    const known = [
      /BackupsBucket\w+Arn\w*>\/\*$/,
      /Machine\w+\.Name>[:/]\*$/,
      /schedule\/mainstay-local\/\*$/,
      /:db:\*$/,
    ];
    expect(patterns.length).toBeGreaterThan(0);
    expect(patterns.filter((pattern) => !known.some((form) => form.test(pattern)))).toEqual([]);
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
      'monitoring/api': ['mainstay_probe'],
      'recovery/chunk-pipeline': ['mainstay_backup'],
      'recovery/dump-schema': ['mainstay_backup'],
      'recovery/hold-snapshot': ['mainstay_backup'],
      'recovery/plan-chunks': ['mainstay_backup'],
    });
  });

  it('lets only bootstrap pass a role, and only to the scheduler', () => {
    const passing = statements.filter(({ actions }) => actions.includes('iam:PassRole'));
    expect(passing).toHaveLength(1);
    expect(passing[0]).toMatchObject({
      role: functions.get('bootstrap/custom-resource')?.role,
      condition: { StringEquals: { 'iam:PassedToService': 'scheduler.amazonaws.com' } },
    });
  });
});

describe('An alarm', () => {
  const alarms = ofType(platform, 'AWS::CloudWatch::Alarm').map(([, { Properties }]) => Properties);

  it('exists for what nobody would see otherwise', () => {
    expect(alarms.map(({ AlarmName }) => AlarmName).sort()).toEqual(
      [
        'backup-damaged',
        'backup-failed',
        'backup-missed',
        'dead-letters',
        'function-errors-conclude',
        'function-errors-sweep',
        'function-throttles-conclude',
        'function-throttles-sweep',
      ].map((name) => `mainstay-local-${name}`),
    );
  });

  it('says what is wrong, names a runbook that exists, and tells somebody at both ends', () => {
    const topic = { Ref: Object.keys(template.findResources('AWS::SNS::Topic'))[0] };
    for (const { AlarmDescription, AlarmActions, OKActions } of alarms) {
      const [, runbook] =
        /^.{20,}\.\nRunbook: (docs\/runbooks\/[a-z-]+\.md)$/.exec(String(AlarmDescription)) ?? [];
      expect(existsSync(join(root, runbook ?? 'missing'))).toBe(true);
      expect([AlarmActions, OKActions]).toEqual([[topic], [topic]]);
    }
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
  it('concludes a backup or a verification whose execution ended badly', () => {
    template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: {
        source: ['aws.states'],
        'detail-type': ['Step Functions Execution Status Change'],
        detail: {
          status: ['FAILED', 'TIMED_OUT', 'ABORTED'],
          stateMachineArn: [Match.anyValue(), Match.anyValue()],
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

  it('sweeps every hour', () => {
    template.hasResourceProperties('AWS::Events::Rule', {
      ScheduleExpression: 'rate(1 hour)',
      Targets: [
        Match.objectLike({
          Arn: { 'Fn::GetAtt': [functions.get('recovery/sweep')?.id, 'Arn'] },
          Input: '{}',
        }),
      ],
    });
  });

  it('leaves schedules of backups to their users: there is a group and a role, and no schedule', () => {
    template.resourceCountIs('AWS::Scheduler::ScheduleGroup', 1);
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
    expect(Object.keys(resources).length).toBeLessThan(450);
    expect(JSON.stringify(template.toJSON()).length).toBeLessThan(900_000);
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
      if (Type === 'AWS::Scheduler::ScheduleGroup') expect(Properties.Name).toBe('mainstay-local');
    }
  });
});

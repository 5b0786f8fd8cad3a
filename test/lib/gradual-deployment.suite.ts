import { describe, expect, it } from '@jest/globals';
import { Match } from 'aws-cdk-lib/assertions';
import { contracts } from '../../functions/contracts.ts';
import { routesOf } from '../../functions/shared/contract.ts';
import { ofType, synthesizeUnchecked } from './support.ts';

const shifting = synthesizeUnchecked('production', {
  profile: 'production',
  deployment: { shift: 'linear-10-percent-every-minute', serverErrors: 9 },
}).platform;
const { template } = shifting;
const withRoutes = contracts.flatMap((contract) =>
  Object.keys(contract.functions)
    .filter((fn) => routesOf(contract, fn).length > 0)
    .map((fn) => (fn === 'api' ? contract.name : `${contract.name}-${fn}`)),
);

describe('New code of an API function', () => {
  it('takes over at once where nothing else is configured', () => {
    const { platform } = synthesizeUnchecked('dev');
    for (const type of ['AWS::Lambda::Alias', 'AWS::Lambda::Version', 'AWS::CodeDeploy::DeploymentGroup']) {
      platform.template.resourceCountIs(type, 0);
    }
  });

  it('takes over step by step in the production profile', () => {
    synthesizeUnchecked('production', { profile: 'production' }).platform.template.allResourcesProperties(
      'AWS::CodeDeploy::DeploymentGroup',
      { DeploymentConfigName: 'CodeDeployDefault.LambdaCanary10Percent5Minutes' },
    );
  });

  it('takes over as configured, and goes back when it fails or the API answers with server errors', () => {
    template.resourceCountIs('AWS::CodeDeploy::DeploymentGroup', withRoutes.length);
    template.allResourcesProperties('AWS::CodeDeploy::DeploymentGroup', {
      DeploymentConfigName: 'CodeDeployDefault.LambdaLinear10PercentEvery1Minute',
      AlarmConfiguration: { Enabled: true, Alarms: [Match.anyValue(), Match.anyValue()] },
      AutoRollbackConfiguration: {
        Enabled: true,
        Events: Match.arrayWith(['DEPLOYMENT_FAILURE', 'DEPLOYMENT_STOP_ON_ALARM']),
      },
    });
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: 'mainstay-production-api-server-errors',
      MetricName: '5xx',
      Period: 60,
      Threshold: 9,
    });
    for (const name of withRoutes) {
      template.hasResourceProperties('AWS::CloudWatch::Alarm', {
        AlarmName: `mainstay-production-api-function-errors-${name}`,
        MetricName: 'Errors',
        Dimensions: Match.arrayWith([Match.objectLike({ Name: 'Resource' })]),
      });
    }
  });

  it('is reached by the alias alone', () => {
    const aliases = ofType(shifting, 'AWS::Lambda::Alias').map(([id]) => id);
    expect(aliases).toHaveLength(withRoutes.length);
    for (const [, { Properties }] of ofType(shifting, 'AWS::ApiGatewayV2::Integration')) {
      expect(aliases.map((Ref) => ({ Ref }))).toContainEqual(Properties.IntegrationUri);
    }
    for (const [, { Properties }] of ofType(shifting, 'AWS::Lambda::Permission')) {
      if (Properties.Principal !== 'apigateway.amazonaws.com') continue;
      expect(aliases.map((Ref) => ({ Ref }))).toContainEqual(Properties.FunctionName);
    }
  });

  it('is a new version when the function has changed, and only then', () => {
    const versions = (settings: object) =>
      ofType(
        synthesizeUnchecked('production', { profile: 'production', ...settings }).platform,
        'AWS::Lambda::Version',
      ).map(([id]) => id);
    const before = versions({});
    expect(before).toHaveLength(withRoutes.length);
    expect(versions({ backup: { missedAfterHours: 50 } })).toEqual(before);
    const after = versions({ logs: { level: 'DEBUG' } });
    expect(after.filter((id) => before.includes(id))).toEqual([]);
  });

  it('is moved by CodeDeploy whenever the alias changes', () => {
    template.hasResource('AWS::Lambda::Alias', {
      UpdatePolicy: { CodeDeployLambdaAliasUpdate: Match.anyValue() },
    });
  });
});

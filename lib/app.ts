import { App, type AppProps, Tags, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag';
import { contracts } from '../functions/contracts.ts';
import { CdnStack } from './cdn-stack.ts';
import { loggedDistributions } from './config/cdn-deployment.ts';
import { loadConfig } from './config/config.ts';
import { type Bundles, bundleFunctions } from './constructs/bundle.ts';
import type { FunctionSettings } from './constructs/function.ts';
import { DatabasesStack } from './databases-stack.ts';
import { edgeRegion } from './edge/edge-region.ts';
import { EdgeLogsStack } from './edge-logs-stack.ts';
import { EdgeStack } from './edge-stack.ts';
import { featureFlags } from './feature-flags.ts';
import { PlatformStack } from './platform-stack.ts';
import { StandbyStack } from './standby-stack.ts';
import { StatefulStack } from './stateful-stack.ts';
import { TelemetryStack } from './telemetry-stack.ts';
import { VaultStack } from './vault-stack.ts';

export interface CreateAppOptions extends AppProps {
  /** The code of the functions. Without it, they are bundled. */
  bundles?: Bundles;
}

/**
 * The app: the stacks of one environment, and the checks that run at every synth.
 *
 * The environment is the context value `environment` (default `dev`), its settings are
 * `mainstay.environments.<name>`.
 *
 * @throws {ConfigError} naming the path of each setting that is wrong.
 */
export function createApp({ bundles, context, ...props }: CreateAppOptions = {}): App {
  const app = new App({ analyticsReporting: false, ...props, context: { ...featureFlags, ...context } });
  const environment = String(app.node.tryGetContext('environment') ?? 'dev');
  const config = loadConfig(environment, app.node.tryGetContext('mainstay'));
  const settings = { environment, config, bundles: bundles ?? bundleFunctions(contracts) };
  addStacks(app, settings);
  Tags.of(app).add('mainstay:environment', environment);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new ServerlessChecks(app));
  return app;
}

/** The stacks of an environment, in the order of their deployment: the second region and the edge where configured. */
function addStacks(app: App, settings: FunctionSettings): void {
  const { environment, config } = settings;
  const { standby, edge, cdn: cdnConfig } = config;
  const { queryStrings } = cdnConfig;
  const name = (stack: string) => `Mainstay-${environment}-${stack}`;
  const props = (description: string, region = config.region) => ({
    env: {
      ...(config.account !== undefined && { account: config.account }),
      ...(region !== undefined && { region }),
    },
    description: `Mainstay ${environment}: ${description}`,
    // A stack whose first creation failed can only be deleted; protected, it would be in the way of the next.
    terminationProtection: config.deletionProtection,
    // By weak references, as within one region.
    crossRegionReferences: true,
  });

  const vault =
    standby === undefined
      ? undefined
      : new VaultStack(app, name('Vault'), {
          ...props('the copies of backups', standby.region),
          standby,
          config,
        }).vault;
  const stateful = new StatefulStack(app, name('Stateful'), {
    ...props('what must never be replaced'),
    environment,
    config,
    ...(vault !== undefined && { vault }),
  });
  const platform = new PlatformStack(app, name('Platform'), {
    ...props('the capabilities'),
    settings,
    stateful,
    ...(vault !== undefined && { vault }),
  });
  const databases = new DatabasesStack(app, name('Databases'), {
    ...props('where keys live, and failover'),
    ...{ settings, stateful, platform },
  });
  if (standby !== undefined && vault !== undefined) {
    const keys = new StandbyStack(app, name('Standby'), {
      ...props('keys and alarms of the second region', standby.region),
      ...{ environment, config, standby, stateful, vault },
    });
    // No backup before its copies can be encrypted.
    platform.addStackDependency(keys);
  }
  const front =
    edge === undefined
      ? undefined
      : new EdgeStack(app, name('Edge'), {
          ...props('what stands in front', edgeRegion),
          ...{ environment, edge, queryStrings, stateful, api: platform.api },
        });
  const distributionIds = loggedDistributions(cdnConfig);
  if (distributionIds.length > 0) {
    new EdgeLogsStack(app, name('EdgeLogs'), {
      ...props('the logs of distributions that were there before', edgeRegion),
      ...{ environment, distributionIds, queryStrings, stateful },
    });
  }
  const cdn = new CdnStack(app, name('Cdn'), {
    ...props('purges, warming and analytics of the edge'),
    ...{ settings, stateful, platform },
    ...(front !== undefined && {
      distribution: {
        id: front.distributionId,
        domain: edge?.domains[0] ?? edge?.websites[0]?.domains[0] ?? front.domainName,
        multiTenant: edge !== undefined && edge.websites.length > 0,
        ...(front.signingKeyId !== undefined && { signingKeyId: front.signingKeyId }),
      },
    }),
  });
  new TelemetryStack(app, name('Telemetry'), {
    ...props('what services say of themselves'),
    ...{ settings, stateful, platform, others: [databases, cdn] },
  });
}

import { App, type AppProps, Tags, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag';
import { contracts } from '../functions/contracts.ts';
import { loadConfig } from './config/config.ts';
import { type Bundles, bundleFunctions } from './constructs/bundle.ts';
import { featureFlags } from './feature-flags.ts';
import { PlatformStack } from './platform-stack.ts';
import { StatefulStack } from './stateful-stack.ts';

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
  const target = {
    env: {
      ...(config.account !== undefined && { account: config.account }),
      ...(config.region !== undefined && { region: config.region }),
    },
  };

  const prefix = `Mainstay-${environment}`;
  const stateful = new StatefulStack(app, `${prefix}-Stateful`, {
    ...target,
    description: `Mainstay ${environment}: what must never be replaced`,
    environment,
    config,
  });
  new PlatformStack(app, `${prefix}-Platform`, {
    ...target,
    description: `Mainstay ${environment}: the capabilities`,
    settings,
    stateful,
  });
  Tags.of(app).add('mainstay:environment', environment);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new ServerlessChecks(app));
  return app;
}

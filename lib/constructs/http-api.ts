import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as apigateway from 'aws-cdk-lib/aws-apigateway';
import * as apigatewayv2 from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { type CapabilityContract, type RouteContract, routesOf } from '../../functions/shared/contract.ts';
import type { DeploymentConfig } from '../config/schema.ts';
import { acknowledge } from './acknowledge.ts';
import { ApiDomain } from './api-domain.ts';
import type { BundledFunction } from './function.ts';
import type { GradualDeployment } from './gradual-deployment.ts';

/** The longest that the CDK lets an HTTP API wait; functions behind it end before that. */
const integrationTimeout = Duration.seconds(29);

export interface HttpApiProps {
  /** Name of the environment. */
  environment: string;
  config: DeploymentConfig;
}

/** The public HTTP API. Its routes are those of the contracts. */
export class HttpApi extends Construct {
  readonly api: apigatewayv2.HttpApi;
  /** What API Gateway says of each request. */
  readonly accessLog: logs.LogGroup;

  /** Host name under which the API answers. */
  readonly host: string;
  private gradual: GradualDeployment | undefined;

  constructor(scope: Construct, id: string, { environment, config }: HttpApiProps) {
    super(scope, id);
    const domain =
      config.api.domain === undefined ? undefined : new ApiDomain(this, 'Domain', config.api.domain);
    this.api = new apigatewayv2.HttpApi(this, 'Api', {
      apiName: `mainstay-${environment}`,
      description: 'Mainstay',
      createDefaultStage: false,
      ...(domain !== undefined && { disableExecuteApiEndpoint: true }),
      ...(config.api.corsOrigins.length > 0 && { corsPreflight: corsFor(config.api.corsOrigins) }),
    });
    const { region, urlSuffix } = Stack.of(this);
    this.host = domain?.name ?? `${this.api.apiId}.execute-api.${region}.${urlSuffix}`;
    this.accessLog = new logs.LogGroup(this, 'AccessLog', {
      retention: config.logs.retentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    new apigatewayv2.HttpStage(this, 'Stage', {
      httpApi: this.api,
      autoDeploy: true,
      ...(domain !== undefined && { domainMapping: { domainName: domain.domain } }),
      throttle: {
        rateLimit: config.api.throttle.requestsPerSecond,
        burstLimit: config.api.throttle.burst,
      },
      accessLogSettings: {
        destination: new apigatewayv2.LogGroupLogDestination(this.accessLog),
        format: apigateway.AccessLogFormat.custom(JSON.stringify(accessLogFields)),
      },
    });
    acknowledge(this.api, unauthorized);
  }

  /** Address under which the API answers, without a path. */
  get url(): string {
    return `https://${this.host}`;
  }

  /** Lets calls move to new code step by step, for the routes that are added from now on. */
  deployGradually(deployment: GradualDeployment): void {
    this.gradual = deployment;
  }

  /**
   * Leads the routes of a contract to the function that serves them; those that another one serves are left out.
   *
   * @throws when the function may run longer than the API waits for it.
   */
  addRoutes(contract: CapabilityContract, fn: BundledFunction): void {
    const routes = routesOf(contract, fn.name);
    if (routes.length === 0) return;
    const integration = this.integrate(contract, fn);
    // A route names its function: it has to be in the stack of the function, which may be a later one.
    const here = Stack.of(fn) === Stack.of(this);
    for (const [, route] of routes) {
      const method = methods[route.method];
      if (here) this.api.addRoutes({ path: route.path, methods: [method], integration });
      else {
        const routeKey = apigatewayv2.HttpRouteKey.with(route.path, method);
        const id = `${method}${route.path}`;
        acknowledge(
          new apigatewayv2.HttpRoute(fn, id, { httpApi: this.api, routeKey, integration }),
          unauthorized,
        );
      }
    }
    if (contract.functions.api?.fallback === true) {
      new apigatewayv2.HttpRoute(this.api, 'Fallback', {
        httpApi: this.api,
        routeKey: apigatewayv2.HttpRouteKey.DEFAULT,
        integration,
      });
    }
  }

  private integrate(contract: CapabilityContract, fn: BundledFunction): HttpLambdaIntegration {
    if (fn.timeout.toSeconds() >= integrationTimeout.toSeconds()) {
      throw new Error(`${fn.node.path} may run longer than the API waits for it`);
    }
    const name = fn.name === 'api' ? contract.name : `${contract.name}-${fn.name}`;
    const target = this.gradual?.aliasOf(name, fn) ?? fn.function;
    return new HttpLambdaIntegration(contract.name, target, {
      payloadFormatVersion: apigatewayv2.PayloadFormatVersion.VERSION_2_0,
      timeout: integrationTimeout,
      // One for each route would fill the function's policy, and the stack. A pattern for all does not match `$default`.
      scopePermissionToRoute: contract.functions.api?.fallback === true,
    });
  }
}

const unauthorized = {
  'AwsSolutions-APIG4':
    'The functions authenticate: each route’s contract names the scope it needs, and the stack that all of them share resolves the API key and answers 401 and 403 as problem details. A Lambda authorizer of an HTTP API needs all its identity sources present and cannot shape those answers. A test asserts that every route that is not open runs that stack.',
};

const methods: Record<RouteContract['method'], apigatewayv2.HttpMethod> = {
  GET: apigatewayv2.HttpMethod.GET,
  POST: apigatewayv2.HttpMethod.POST,
  PUT: apigatewayv2.HttpMethod.PUT,
  PATCH: apigatewayv2.HttpMethod.PATCH,
  DELETE: apigatewayv2.HttpMethod.DELETE,
};

function corsFor(origins: string[]): apigatewayv2.CorsPreflightOptions {
  return {
    allowOrigins: origins,
    allowMethods: [apigatewayv2.CorsHttpMethod.ANY],
    allowHeaders: ['authorization', 'content-type', 'idempotency-key', 'traceparent', 'x-api-key'],
    exposeHeaders: ['location', 'ratelimit', 'ratelimit-policy', 'retry-after', 'traceparent'],
    maxAge: Duration.hours(1),
  };
}

/** An HTTP API's access log cannot see headers: `requestId` is what leads to a function's lines and their trace. */
const accessLogFields = {
  requestId: '$context.requestId',
  time: '$context.requestTimeEpoch',
  sourceIp: '$context.identity.sourceIp',
  userAgent: '$context.identity.userAgent',
  method: '$context.httpMethod',
  routeKey: '$context.routeKey',
  path: '$context.path',
  status: '$context.status',
  responseLength: '$context.responseLength',
  responseLatencyMs: '$context.responseLatency',
  integrationStatus: '$context.integration.status',
  integrationLatencyMs: '$context.integration.latency',
  integrationRequestId: '$context.integration.requestId',
  integrationError: '$context.integration.error',
  error: '$context.error.responseType',
};

import * as z from 'zod';
import type { CorsConfiguration, HttpApiDefinition, HttpApiRoute } from '../../http-api/definition.ts';
import type { HttpApi } from '../../http-api/http-api.ts';
import { physicalName, type ResourceHandler } from '../resource.ts';

const list = z.array(z.string()).optional();
const apiProperties = z.looseObject({
  ProtocolType: z.literal('HTTP'),
  CorsConfiguration: z
    .strictObject({
      AllowOrigins: list,
      AllowMethods: list,
      AllowHeaders: list,
      ExposeHeaders: list,
      AllowCredentials: z.boolean().optional(),
      MaxAge: z.number().optional(),
    })
    .optional(),
});
const integrationProperties = z.looseObject({
  ApiId: z.string(),
  IntegrationType: z.literal('AWS_PROXY'),
  IntegrationUri: z.string(),
  PayloadFormatVersion: z.literal('2.0'),
  TimeoutInMillis: z.number().optional(),
});
const routeProperties = z.looseObject({
  ApiId: z.string(),
  AuthorizationType: z.literal('NONE').default('NONE'),
  RouteKey: z.string(),
  Target: z.string().startsWith('integrations/'),
});
const stageProperties = z.looseObject({
  ApiId: z.string(),
  StageName: z.string(),
  AccessLogSettings: z.looseObject({ Format: z.string() }).optional(),
  DefaultRouteSettings: z
    .looseObject({ ThrottlingBurstLimit: z.number().optional(), ThrottlingRateLimit: z.number().optional() })
    .optional(),
});

type Integration = { functionArn: string; timeoutMs?: number };

/**
 * HTTP APIs. The parts of an API are resources of their own that come in any order, so each part
 * that arrives defines the API anew with what is there.
 */
export function apiGatewayResources(
  httpApi: HttpApi,
  { region, accountId }: { region: string; accountId: string },
): Record<string, ResourceHandler> {
  const integrations = new Map<string, Integration>();
  const routes = new Map<string, HttpApiRoute>();
  let api: Omit<HttpApiDefinition, 'routes'> | undefined;

  const define = () => {
    if (api !== undefined) httpApi.ensureApi({ ...api, routes: [...routes.values()] });
  };

  return {
    'AWS::ApiGatewayV2::Api': (request) => {
      const { CorsConfiguration: cors } = apiProperties.parse(request.properties);
      const apiId = physicalName(request).slice(-10);
      api = { apiId, ...(cors && { cors: corsOf(cors) }) };
      define();
      const arn = `arn:aws:apigateway:${region}::/apis/${apiId}`;
      return {
        ref: apiId,
        attributes: { ApiId: apiId, ApiEndpoint: httpApi.url, Arn: arn, AccountId: accountId },
      };
    },
    'AWS::ApiGatewayV2::Integration': (request) => {
      const properties = integrationProperties.parse(request.properties);
      const id = physicalName(request);
      integrations.set(id, {
        functionArn: properties.IntegrationUri,
        ...(properties.TimeoutInMillis !== undefined && { timeoutMs: properties.TimeoutInMillis }),
      });
      return { ref: id, attributes: { IntegrationId: id } };
    },
    'AWS::ApiGatewayV2::Route': (request) => {
      const { RouteKey: routeKey, Target } = routeProperties.parse(request.properties);
      const integration = integrations.get(Target.slice('integrations/'.length));
      if (integration === undefined) throw new Error(`The route ${routeKey} has no integration ${Target}.`);
      routes.set(routeKey, { routeKey, ...integration });
      define();
      return { ref: physicalName(request) };
    },
    'AWS::ApiGatewayV2::Stage': (request) => {
      const properties = stageProperties.parse(request.properties);
      if (api === undefined) throw new Error(`The stage ${properties.StageName} has no API.`);
      const { ThrottlingBurstLimit: burstLimit, ThrottlingRateLimit: rateLimit } =
        properties.DefaultRouteSettings ?? {};
      api = {
        ...api,
        stage: properties.StageName,
        ...(properties.AccessLogSettings && { accessLog: { format: properties.AccessLogSettings.Format } }),
        ...(burstLimit !== undefined && rateLimit !== undefined && { throttle: { burstLimit, rateLimit } }),
      };
      define();
      return { ref: properties.StageName };
    },
  };
}

function corsOf(cors: NonNullable<z.output<typeof apiProperties>['CorsConfiguration']>): CorsConfiguration {
  return {
    ...(cors.AllowOrigins && { allowOrigins: cors.AllowOrigins }),
    ...(cors.AllowMethods && { allowMethods: cors.AllowMethods }),
    ...(cors.AllowHeaders && { allowHeaders: cors.AllowHeaders }),
    ...(cors.ExposeHeaders && { exposeHeaders: cors.ExposeHeaders }),
    ...(cors.AllowCredentials !== undefined && { allowCredentials: cors.AllowCredentials }),
    ...(cors.MaxAge !== undefined && { maxAgeSeconds: cors.MaxAge }),
  };
}

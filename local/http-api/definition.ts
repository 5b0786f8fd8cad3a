/** How many requests a stage or a route takes. */
export interface Throttle {
  /** Requests a second, in the long run. */
  rateLimit: number;
  /** Requests at once. */
  burstLimit: number;
}

/** Cross-origin access, as `AWS::ApiGatewayV2::Api` configures it. */
export interface CorsConfiguration {
  allowOrigins?: readonly string[];
  allowMethods?: readonly string[];
  allowHeaders?: readonly string[];
  exposeHeaders?: readonly string[];
  allowCredentials?: boolean;
  maxAgeSeconds?: number;
}

/** An HTTP API with one stage, as its template describes it. */
export interface HttpApiDefinition {
  apiId: string;
  /** `$default` (then it is no part of the path) or a name; default `$default`. */
  stage?: string;
  routes: readonly HttpApiRoute[];
  stageVariables?: Readonly<Record<string, string>>;
  cors?: CorsConfiguration;
  /** A line per request in API Gateway's `$context` format. */
  accessLog?: { format: string };
  /** Limit of the whole stage, each route for itself, as `DefaultRouteSettings` say it. */
  throttle?: Throttle;
}

export interface HttpApiRoute {
  /** `GET /a/{b}`, `ANY /c/{rest+}` or `$default`. */
  routeKey: string;
  /** With a qualifier, where the integration names one. */
  functionArn: string;
  /** 50 to 30 000 ms; default 30 000. */
  timeoutMs?: number;
  /** Limit of this route in place of the stage's. */
  throttle?: Throttle;
}

import type { CapabilityContract, Protocol, ResponseContract, RouteContract } from '../shared/contract.ts';
import { problemKinds, problemSchema } from '../shared/problem.ts';
import { type JsonSchema, SchemaCollector } from './schemas.ts';

/** An OpenAPI 3.1 document; its parts are checked by tests, not by types. */
export interface OpenApiDocument {
  readonly openapi: '3.1.0';
  readonly paths: Record<string, Record<string, Operation>>;
  readonly [member: string]: unknown;
}

export interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly responses: Record<string, unknown>;
  readonly [member: string]: unknown;
}

const description = `Operations backbone of a multi-tenant web platform.

Errors are problem details (RFC 9457) with a \`traceId\`. Long work answers 202 with \`Location\`: GET it until its
\`state\` is \`completed\`, \`failed\` or \`canceled\`. Lists take \`limit\` and \`nextToken\`. Times are RFC 3339 in UTC.`;

/** Describes the API from the contracts that its functions are built on. */
export function describeApi(contracts: readonly CapabilityContract[], version: string): OpenApiDocument {
  const schemas = new SchemaCollector();
  const paths: OpenApiDocument['paths'] = {};
  for (const contract of contracts) {
    for (const [name, route] of Object.entries(contract.routes)) {
      paths[route.path] ??= {};
      Object.assign(paths[route.path] ?? {}, {
        [route.method.toLowerCase()]: describeRoute(contract, name, route, schemas),
      });
    }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Mainstay',
      version,
      description,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: contracts
      .filter(({ routes }) => Object.keys(routes).length > 0)
      .map(({ title, description }) => ({ name: title, description })),
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'API key' },
        apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key' },
      },
      responses: { Problem: problemResponse('The request could not be served.') },
      schemas: { Problem: schemas.inline(problemSchema), ...schemas.components },
    },
  };
}

function describeRoute(
  contract: CapabilityContract,
  name: string,
  route: RouteContract,
  schemas: SchemaCollector,
): Operation {
  const open = route.scope === 'open';
  const needs = open ? 'Needs no API key.' : `Needs an API key with the scope \`${route.scope}\`.`;
  return {
    operationId: `${contract.name}${name.charAt(0).toUpperCase()}${name.slice(1)}`,
    tags: [contract.title],
    summary: route.summary,
    description: [route.description, needs].filter((part) => part !== undefined).join('\n\n'),
    security: open ? [] : [{ bearer: [] }, { apiKey: [] }],
    ...(open ? {} : { 'x-scope': route.scope }),
    parameters: [
      ...parameters('path', route.params && schemas.inline(route.params)),
      ...parameters('query', route.query && schemas.inline(route.query)),
      { name: 'traceparent', in: 'header', schema: { type: 'string' }, description: 'W3C Trace Context.' },
    ],
    ...requestBody(route, schemas),
    responses: {
      ...Object.fromEntries(
        Object.entries(route.responses).map(([status, response]) => [
          status,
          describeResponse(Number(status), response, schemas),
        ]),
      ),
      ...sharedProblems(route),
      default:
        route.protocol === undefined
          ? { $ref: '#/components/responses/Problem' }
          : foreignProblem('The request could not be served.', route),
    },
  };
}

function parameters(place: 'path' | 'query', schema: JsonSchema | undefined): unknown[] {
  const required = new Set(schema?.required ?? []);
  return Object.entries(schema?.properties ?? {}).map(([name, property]) => {
    const { description, ...rest }: JsonSchema = typeof property === 'object' ? property : {};
    return {
      name,
      in: place,
      required: place === 'path' || required.has(name),
      ...(description === undefined ? {} : { description }),
      schema: rest,
    };
  });
}

function requestBody({ body, rawBody }: RouteContract, schemas: SchemaCollector): { requestBody?: unknown } {
  if (rawBody !== undefined) {
    const content = Object.fromEntries(rawBody.contentTypes.map((type) => [type, {}]));
    return { requestBody: { required: true, content } };
  }
  if (body === undefined) return {};
  const required = !body.safeParse({}).success;
  return { requestBody: { required, content: { 'application/json': { schema: schemas.reference(body) } } } };
}

function describeResponse(status: number, response: ResponseContract, schemas: SchemaCollector): unknown {
  const headers = Object.entries(response.headers ?? {}).map(([name, description]) => [
    name,
    { description, schema: { type: 'string' } },
  ]);
  const { schema, contentType, description } = response;
  if (schema === undefined && contentType === undefined && status >= 400) return problemResponse(description);
  const content =
    schema !== undefined
      ? { content: { [contentType ?? 'application/json']: { schema: schemas.reference(schema) } } }
      : contentType !== undefined
        ? { content: { [contentType]: {} } }
        : {};
  return {
    description,
    ...(headers.length === 0 ? {} : { headers: Object.fromEntries(headers) }),
    ...content,
  };
}

/** The problems that the shared stack answers before a handler runs. */
function sharedProblems(route: RouteContract): Record<number, unknown> {
  const takesBody = route.body !== undefined || route.rawBody !== undefined;
  const takesInput = route.params !== undefined || route.query !== undefined || takesBody;
  const kinds = [
    ...(takesInput ? (['invalid-request'] as const) : []),
    ...(route.scope === 'open' ? [] : (['unauthorized', 'forbidden'] as const)),
    ...(takesBody ? (['payload-too-large', 'unsupported-media-type'] as const) : []),
  ];
  const own = new Set(Object.keys(route.responses));
  return Object.fromEntries(
    kinds
      .map((kind) => problemKinds[kind])
      .filter(({ status }) => !own.has(String(status)))
      .map(({ status, title }) => [
        status,
        route.protocol === undefined
          ? problemResponse(`${title}.`, status)
          : foreignProblem(`${title}.`, route),
      ]),
  );
}

/** An error in the form of another protocol. */
function foreignProblem(description: string, { protocol }: RouteContract): unknown {
  return {
    description: `${description} In the form that ${protocolTitles[protocol ?? 'otlp']} has for errors.`,
  };
}

const protocolTitles: Record<Protocol, string> = {
  otlp: 'OTLP',
  jaeger: 'Jaeger',
  tempo: 'Tempo',
  prometheus: 'Prometheus',
};

function problemResponse(description: string, status?: number): unknown {
  const kind = Object.entries(problemKinds).find(([, known]) => known.status === status);
  const example = kind && { type: `/docs#problem-${kind[0]}`, title: kind[1].title, status };
  return {
    description,
    content: {
      'application/problem+json': {
        schema: { $ref: '#/components/schemas/Problem' },
        ...(example === undefined ? {} : { example }),
      },
    },
  };
}

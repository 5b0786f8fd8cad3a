import fc from 'fast-check';
import * as z from 'zod';
import type { RouteContract } from '../../../functions/shared/contract.ts';

/** A request as a route's schemas describe it, or one that was made from such a request by a mistake. */
export interface RouteRequest {
  readonly params: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly body: unknown;
  /** Whether the route's schemas accept it. */
  readonly valid: boolean;
}

type JsonSchema = z.core.JSONSchema._JSONSchema;

const jsonSchemaOf = (schema: z.ZodType): JsonSchema =>
  z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', target: 'draft-2020-12' });

/** Values that a schema describes; what JSON Schema cannot say may be missed, so check them. */
function valueFor(schema: JsonSchema): fc.Arbitrary<unknown> {
  if (typeof schema === 'boolean') return fc.jsonValue();
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return fc.oneof(...choices.map(valueFor));
  switch (schema.type) {
    case 'object': {
      const required = new Set(schema.required ?? []);
      const members = Object.entries(schema.properties ?? {}).map(([name, member]) => {
        const value = valueFor(member).map((given): [string, unknown][] => [[name, given]]);
        return required.has(name) ? value : fc.oneof(value, fc.constant([]));
      });
      return fc.tuple(...members).map((given) => Object.fromEntries(given.flat()));
    }
    case 'array':
      return fc.array(itemsOf(schema), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.min(schema.maxItems ?? 3, (schema.minItems ?? 0) + 3),
      });
    case 'integer':
      return fc.integer({ min: bounded(schema.minimum, -1e6), max: bounded(schema.maximum, 1e6) });
    case 'number':
      return fc.double({
        min: bounded(schema.minimum, -1e6),
        max: bounded(schema.maximum, 1e6),
        noNaN: true,
      });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'string':
      return textOf(schema);
    default:
      return fc.jsonValue();
  }
}

const itemsOf = ({ items }: z.core.JSONSchema.BaseSchema): fc.Arbitrary<unknown> =>
  items === undefined || Array.isArray(items) ? fc.jsonValue() : valueFor(items);

const bounded = (value: number | undefined, otherwise: number): number =>
  value === undefined || Math.abs(value) > 1e9 ? otherwise : value;

function textOf({
  pattern,
  format,
  minLength = 0,
  maxLength = 20,
}: z.core.JSONSchema.BaseSchema): fc.Arbitrary<string> {
  if (format === 'date-time') {
    const range = { min: new Date('2020-01-01'), max: new Date('2030-01-01'), noInvalidDate: true };
    return fc.date(range).map((date) => date.toISOString());
  }
  if (format === 'date') return fc.constantFrom('2026-11-20', '2024-02-29');
  if (format === 'uri') return fc.constantFrom('https://example.com/hooks', 'https://198.51.100.7/x?y=1');
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern));
  return fc.string({ minLength, maxLength: Math.min(maxLength, minLength + 20) });
}

const nonsense = fc.constantFrom<unknown>(
  ...[
    null,
    true,
    -1,
    1e300,
    '',
    ' ',
    '\u0000',
    '../..',
    '%2e%2e',
    "' OR 1=1 --",
    'a'.repeat(5_000),
    '💥\ud800',
  ],
  ...[[], {}, [[[[]]]], { __proto__: null, constructor: 1 }, ['x', 1, null]],
);

/** Puts something else in one place of a value, leaves a member out, or adds one. */
function mistakeIn(value: unknown): fc.Arbitrary<unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return nonsense;
  const members = Object.entries(value);
  const added = nonsense.map((other) => ({ ...value, surprise: other }));
  if (members.length === 0) return fc.oneof(added, nonsense);
  const changed = fc
    .constantFrom(...members)
    .chain(([name, member]) => mistakeIn(member).map((other) => ({ ...value, [name]: other })));
  const without = fc
    .constantFrom(...members)
    .map(([name]) => Object.fromEntries(members.filter(([other]) => other !== name)));
  return fc.oneof(added, changed, without);
}

/** Requests to a route, about half of them with a mistake. */
export function requestsTo(route: RouteContract): fc.Arbitrary<RouteRequest> {
  const part = (schema: z.ZodType | undefined): fc.Arbitrary<unknown> =>
    schema === undefined ? fc.constant({}) : valueFor(jsonSchemaOf(schema));
  const wellFormed = fc.record({
    params: part(route.params),
    query: part(route.query),
    // Of a body that is bytes, JSON is what a client here can send.
    body: route.rawBody === undefined ? part(route.body) : fc.jsonValue(),
  });
  const mistaken = wellFormed.chain(({ params, query, body }) => {
    const inQuery = mistakeIn(query).map((other) => ({ params, query: other, body }));
    const inBody = mistakeIn(body).map((other) => ({ params, query, body: other }));
    const inParams = mistakeIn(params).map((other) => ({ params: other, query, body }));
    return fc.oneof(
      inQuery,
      ...(route.method === 'GET' ? [] : [inBody]),
      ...(route.params === undefined ? [] : [inParams]),
    );
  });
  return fc.oneof(wellFormed, mistaken).map(({ params, query, body }) => {
    const sent = { params: texts(params), query: texts(query), body: route.method === 'GET' ? {} : body };
    return { ...sent, valid: accepts(route, sent) };
  });
}

/** As it travels: names and values of a path and a query are text. */
function texts(value: unknown): Record<string, string> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      typeof member === 'string' ? member.toWellFormed() : (JSON.stringify(member) ?? ''),
    ]),
  );
}

function accepts(route: RouteContract, request: Omit<RouteRequest, 'valid'>): boolean {
  const parts = ['params', 'query', 'body'] as const;
  return parts.every((name) => {
    // Whether bytes are accepted is for the protocol to say.
    if (name === 'body' && route.rawBody !== undefined) return true;
    const schema = route[name];
    const value = JSON.parse(JSON.stringify(request[name] ?? null));
    if (schema !== undefined) return schema.safeParse(value).success;
    return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
  });
}

/** The path and query of a request; a parameter that is left out leaves its name. */
export function addressOf(route: RouteContract, { params, query }: RouteRequest): string {
  const path = route.path.replaceAll(/\{(\w+)\+?\}/g, (_, name: string) =>
    encodeURIComponent(String(params[name] ?? name) || '%20'),
  );
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) search.append(name, String(value));
  return search.size === 0 ? path : `${path}?${search}`;
}

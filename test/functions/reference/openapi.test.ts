import { describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import { contracts } from '../../../functions/contracts.ts';
import { describeApi, type Operation } from '../../../functions/reference/openapi.ts';
import { defineContract } from '../../../functions/shared/contract.ts';

// As clients get it: whatever does not survive JSON is not part of it.
const document = JSON.parse(JSON.stringify(describeApi(contracts, '1.2.3')));
const operations: { path: string; method: string; operation: Operation }[] = Object.entries(
  z.record(z.string(), z.record(z.string(), z.custom<Operation>())).parse(document.paths),
).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);

/** Every value below `value` with a given key. */
function* find(key: string, value: unknown): Generator<unknown> {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, member] of Object.entries(value)) {
    if (name === key) yield member;
    yield* find(key, member);
  }
}

function resolve(reference: string): unknown {
  return reference
    .replace(/^#\//, '')
    .split('/')
    .reduce((value: unknown, step) => z.record(z.string(), z.unknown()).parse(value)[step], document);
}

describe('the description of the API', () => {
  it('has every route of every contract, and no other', () => {
    const declared = contracts.flatMap(({ routes }) =>
      Object.values(routes).map(({ method, path }) => `${method} ${path}`),
    );
    const described = operations.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    expect(described.toSorted()).toEqual(declared.toSorted());
    expect(declared.length).toBeGreaterThan(10);
  });

  it('refers to nothing that it does not have', () => {
    const references = [...find('$ref', document)];
    expect(references.length).toBeGreaterThan(20);
    for (const reference of references) expect(resolve(String(reference))).toBeDefined();
  });

  it('names each operation once, and each placeholder of its path', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { path, operation } of operations) {
      expect(operation.operationId).toMatch(/^[a-z][A-Za-z0-9]+$/);
      const placeholders = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const parameters = z
        .array(z.object({ name: z.string(), in: z.string(), required: z.boolean().optional() }))
        .parse(operation.parameters);
      const inPath = parameters.filter((parameter) => parameter.in === 'path');
      expect(inPath.map(({ name }) => name).toSorted()).toEqual(placeholders.toSorted());
      expect(inPath.every(({ required }) => required)).toBe(true);
    }
  });

  it('says for each operation who may use it and which problems it may answer', () => {
    const routes = contracts.flatMap(({ routes }) => Object.values(routes));
    for (const { path, method, operation } of operations) {
      const route = routes.find((one) => one.path === path && one.method.toLowerCase() === method);
      expect(operation['x-scope']).toBe(route?.scope === 'open' ? undefined : route?.scope);
      expect(operation.security).toEqual(route?.scope === 'open' ? [] : [{ bearer: [] }, { apiKey: [] }]);
      expect(operation.responses.default).toEqual(
        route?.protocol === undefined
          ? { $ref: '#/components/responses/Problem' }
          : { description: expect.stringContaining('In the form that') },
      );
      if (route?.scope !== 'open')
        expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['401', '403']));
      if (route?.body !== undefined || route?.rawBody !== undefined)
        expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['400', '413', '415']));
    }
  });

  it('groups operations under tags that it explains', () => {
    const tags = z.array(z.object({ name: z.string(), description: z.string() })).parse(document.tags);
    const used = new Set(operations.flatMap(({ operation }) => operation.tags));
    expect(tags.map(({ name }) => name).toSorted()).toEqual([...used].toSorted());
  });

  it('holds schemas that a JSON Schema reader takes, without what only zod understands', () => {
    expect([...find('$schema', document)]).toEqual([]);
    expect([...find('$defs', document)]).toEqual([]);
    expect(document.openapi).toBe('3.1.0');
    expect(document.info).toMatchObject({ title: 'Mainstay', version: '1.2.3' });
  });
});

describe('a schema with a title', () => {
  const thing = z.strictObject({ name: z.string(), made: z.iso.datetime() }).meta({ title: 'A thing' });
  const other = z.strictObject({ size: z.number() }).meta({ title: 'a Thing' });
  const route = { method: 'GET', scope: 'open', summary: 'x' } as const;
  const contract = defineContract({
    name: 'example',
    title: 'Example',
    description: 'x',
    routes: {
      one: { ...route, path: '/one', responses: { 200: { description: 'x', schema: thing } } },
      two: { ...route, path: '/two', responses: { 200: { description: 'x', schema: thing } } },
      three: { ...route, path: '/three', responses: { 200: { description: 'x', schema: other } } },
    },
    functions: {},
  });
  const described = JSON.parse(JSON.stringify(describeApi([contract], '1')));

  it('is described once and referred to, beside another of the same title', () => {
    const at = (path: string) => described.paths[path].get.responses[200].content['application/json'].schema;
    expect(at('/one')).toEqual({ $ref: '#/components/schemas/AThing' });
    expect(at('/two')).toEqual(at('/one'));
    expect(at('/three')).toEqual({ $ref: '#/components/schemas/AThing2' });
    expect(described.components.schemas.AThing.properties.made).toEqual({
      type: 'string',
      format: 'date-time',
    });
  });
});

import { NormalizedSchema } from '@smithy/core/schema';
import type { StaticOperationSchema } from '@smithy/types';
import { XMLParser } from 'fast-xml-parser';
import * as z from 'zod';
import type { RestRequest, RestResponse } from './api.ts';
import { AwsError } from './operation.ts';
import { writeElement } from './query-protocol.ts';
import { escapeXml } from './xml.ts';

/** Largest body of a request, in bytes. */
const bodyLimit = 1024 * 1024;

const traitsSchema = z.looseObject({ http: z.tuple([z.string(), z.string(), z.number()]) });

/** An operation of a service with REST paths and XML bodies, with where its request goes. */
export interface RestXmlOperation {
  name: string;
  schema: StaticOperationSchema;
  method: string;
  /** What the path has to be; each group is a label. */
  path: RegExp;
  labels: string[];
  /** Parameters that the query has to have; an operation with more of them is tried first. */
  queryNames: string[];
  status: number;
}

/**
 * The operations of a service's SDK client, by what the client exports for them (`CreateInvalidation$`).
 *
 * @param exported everything the client exports.
 */
export function restXmlOperations(exported: Readonly<Record<string, unknown>>): RestXmlOperation[] {
  return Object.values(exported)
    .filter(isOperationSchema)
    .map((schema) => {
      const [method, uri, status] = traitsSchema.parse(schema[3]).http;
      const [path = '', query = ''] = uri.split('?');
      const labels = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '');
      return {
        name: schema[2],
        schema,
        method,
        status,
        labels,
        path: new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '([^/]+)')}/?$`),
        queryNames: query.split('&').flatMap((part) => (part === '' ? [] : [part.split('=', 1)[0] ?? ''])),
      };
    })
    .sort((left, right) => right.queryNames.length - left.queryNames.length);
}

/** The operation that a request asks for. */
export function matchOperation(
  operations: readonly RestXmlOperation[],
  { method, rawPath, query }: Pick<RestRequest, 'method' | 'rawPath' | 'query'>,
): RestXmlOperation | undefined {
  return operations.find(
    (operation) =>
      operation.method === method &&
      operation.path.test(rawPath) &&
      operation.queryNames.every((name) => query.has(name)),
  );
}

/**
 * Reads a request into the shape its SDK client was given.
 *
 * @throws {AwsError} `MalformedXML` and `MissingBody` (400).
 */
export async function readRestXmlInput(
  operation: RestXmlOperation,
  request: RestRequest,
): Promise<Record<string, unknown>> {
  const input: Record<string, unknown> = {};
  const labels = operation.path.exec(request.rawPath) ?? [];
  operation.labels.forEach((label, index) => {
    input[label] = decodeURIComponent(labels[index + 1] ?? '');
  });
  const schema = NormalizedSchema.of(operation.schema[4]);
  if (!schema.isStructSchema()) return input;
  for (const [member, memberSchema] of schema.structIterator()) {
    const { httpQuery, httpHeader, httpPayload, xmlName } = memberSchema.getMergedTraits();
    if (typeof httpQuery === 'string') {
      const value = request.query.get(httpQuery);
      if (value !== null) input[member] = readText(memberSchema, value);
    } else if (typeof httpHeader === 'string') {
      const value = request.headers[httpHeader.toLowerCase()];
      if (typeof value === 'string') input[member] = value;
    } else if (httpPayload !== undefined) {
      input[member] = readDocument(await request.buffer(bodyLimit), String(xmlName ?? member), memberSchema);
    }
  }
  return input;
}

/** Writes a result as the answer of its operation. */
export function writeRestXmlResult(
  operation: RestXmlOperation,
  result: Readonly<Record<string, unknown>>,
  namespace: string,
): RestResponse {
  const headers: Record<string, string> = {};
  const schema = NormalizedSchema.of(operation.schema[5]);
  let body = '';
  if (schema.isStructSchema()) {
    for (const [member, memberSchema] of schema.structIterator()) {
      const value = result[member];
      if (value === undefined) continue;
      const { httpHeader, httpPayload, xmlName } = memberSchema.getMergedTraits();
      if (typeof httpHeader === 'string') headers[httpHeader.toLowerCase()] = String(value);
      else if (httpPayload !== undefined) {
        const name = String(xmlName ?? member);
        const xml = writeElement(name, memberSchema, value);
        body = `<?xml version="1.0"?>\n${xml.replace(`<${name}>`, `<${name} xmlns="${escapeXml(namespace)}">`)}`;
      }
    }
  }
  return {
    status: operation.status,
    headers: body === '' ? headers : { ...headers, 'content-type': 'text/xml' },
    body,
  };
}

// Every element is read as a list of its occurrences, so that one item and many look the same.
const parser = new XMLParser({
  ignoreAttributes: true,
  removeNSPrefix: true,
  parseTagValue: false,
  trimValues: false,
  htmlEntities: true,
  isArray: () => true,
});

function readDocument(xml: Buffer, root: string, schema: NormalizedSchema): unknown {
  const text = xml.toString('utf8');
  if (text.trim() === '') throw new AwsError('MissingBody', 'This operation requires a body.', 400);
  const malformed = new AwsError('MalformedXML', 'The XML document is malformed.', 400);
  if (text.includes('<!DOCTYPE')) throw malformed;
  let document: unknown;
  try {
    document = parser.parse(text, true);
  } catch {
    throw malformed;
  }
  const [content, ...others] = childrenOf(document, root);
  if (content === undefined || others.length > 0) throw malformed;
  return readValue(schema, content);
}

function readValue(schema: NormalizedSchema, node: unknown): unknown {
  if (schema.isStructSchema()) {
    const result: Record<string, unknown> = {};
    for (const [member, memberSchema] of schema.structIterator()) {
      const [content] = childrenOf(node, String(memberSchema.getMergedTraits().xmlName ?? member));
      if (content !== undefined) result[member] = readValue(memberSchema, content);
    }
    return result;
  }
  if (schema.isListSchema()) {
    const item = schema.getValueSchema();
    const name = String(item.getMergedTraits().xmlName ?? 'member');
    return childrenOf(node, name).map((content) => readValue(item, content));
  }
  return readText(schema, typeof node === 'string' ? node : '');
}

function readText(schema: NormalizedSchema, text: string): unknown {
  if (schema.isBooleanSchema()) return text === 'true';
  if (!schema.isNumericSchema()) return text;
  const number = Number(text);
  if (text.trim() === '' || !Number.isFinite(number)) {
    throw new AwsError('InvalidArgument', `'${text}' is not a number.`, 400);
  }
  return number;
}

function childrenOf(node: unknown, name: string): unknown[] {
  if (typeof node !== 'object' || node === null || !Object.hasOwn(node, name)) return [];
  const children: unknown = Reflect.get(node, name);
  return Array.isArray(children) ? children : [];
}

function isOperationSchema(value: unknown): value is StaticOperationSchema {
  return Array.isArray(value) && value[0] === 9 && typeof value[2] === 'string';
}

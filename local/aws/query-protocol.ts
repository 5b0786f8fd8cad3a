import { NormalizedSchema } from '@smithy/core/schema';
import type { QueryOperation } from './api.ts';
import { AwsError } from './operation.ts';
import { escapeXml } from './xml.ts';

/** Form parameters as the tree their dotted names describe. */
interface Node {
  value?: string;
  children: Map<string, Node>;
}

/**
 * Reads the form body of a query request into the shape its SDK client sends. Throws
 * `MalformedQueryString` and `MalformedInput` (400).
 */
export function readQueryInput(form: URLSearchParams, operation: QueryOperation): Record<string, unknown> {
  const root: Node = { children: new Map() };
  for (const [name, value] of form) insert(root, name.split('.'), value);
  const schema = NormalizedSchema.of(operation.schema[4]);
  return schema.isStructSchema() ? readStructure(schema, root, '') : {};
}

/** Writes a result as the answer of a query request. */
export function writeQueryResult(
  name: string,
  operation: QueryOperation,
  result: unknown,
  xmlNamespace: string,
  requestId: string,
): string {
  const schema = NormalizedSchema.of(operation.schema[5]);
  const content = schema.isStructSchema() ? writeMembers(schema, result ?? {}) : undefined;
  const element = content === undefined ? '' : `<${name}Result>${content}</${name}Result>`;
  return (
    `<${name}Response xmlns="${escapeXml(xmlNamespace)}">${element}` +
    `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata></${name}Response>`
  );
}

function insert(node: Node, [head, ...rest]: string[], value: string): void {
  if (head === undefined) {
    node.value = value;
    return;
  }
  if (rest.length > 32)
    throw new AwsError('MalformedQueryString', 'A parameter name is nested too deeply', 400);
  let child = node.children.get(head);
  if (!child) {
    child = { children: new Map() };
    node.children.set(head, child);
  }
  insert(child, rest, value);
}

function readStructure(schema: NormalizedSchema, node: Node, path: string): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [member, memberSchema] of schema.structIterator()) {
    const child = node.children.get(memberSchema.getMergedTraits().xmlName ?? member);
    if (child) result[member] = readValue(memberSchema, child, path ? `${path}.${member}` : member);
  }
  return result;
}

function readValue(schema: NormalizedSchema, node: Node, path: string): unknown {
  if (schema.isStructSchema()) return readStructure(schema, node, path);
  const flattened = schema.getMergedTraits().xmlFlattened === 1;
  if (schema.isListSchema()) {
    const value = schema.getValueSchema();
    const items = flattened ? node : node.children.get(value.getMergedTraits().xmlName ?? 'member');
    return entries(items).map((item) => readValue(value, item, path));
  }
  if (schema.isMapSchema()) {
    const [key, value] = [schema.getKeySchema(), schema.getValueSchema()];
    const keyName = key.getMergedTraits().xmlName ?? 'key';
    const valueName = value.getMergedTraits().xmlName ?? 'value';
    return Object.fromEntries(
      entries(flattened ? node : node.children.get('entry')).map((entry) => {
        const child = entry.children.get(valueName);
        return [entry.children.get(keyName)?.value ?? '', child && readValue(value, child, path)];
      }),
    );
  }
  return readText(schema, node.value ?? '', path);
}

/** Children named 1, 2, … in that order, however sparse. */
function entries(node: Node | undefined): Node[] {
  return [...(node?.children ?? [])]
    .filter(([name]) => /^\d{1,6}$/.test(name))
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, child]) => child);
}

function readText(schema: NormalizedSchema, text: string, path: string): unknown {
  const malformed = (type: string) =>
    new AwsError('MalformedInput', `${path} must be ${type}, got '${text}'`);
  if (schema.isBooleanSchema()) {
    if (text !== 'true' && text !== 'false') throw malformed('true or false');
    return text === 'true';
  }
  if (schema.isNumericSchema()) {
    const number = Number(text);
    if (text.trim() === '' || !Number.isFinite(number)) throw malformed('a number');
    return number;
  }
  if (schema.isTimestampSchema()) {
    const date = new Date(/^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : text);
    if (Number.isNaN(date.getTime())) throw malformed('a timestamp');
    return date;
  }
  return schema.isBlobSchema() ? Buffer.from(text, 'base64') : text;
}

function writeMembers(schema: NormalizedSchema, value: unknown): string {
  let xml = '';
  for (const [member, memberSchema] of schema.structIterator()) {
    const content = property(value, member);
    if (content !== undefined && content !== null) {
      xml += writeElement(memberSchema.getMergedTraits().xmlName ?? member, memberSchema, content);
    }
  }
  return xml;
}

/** One element with a value as its schema writes it; members that the schema does not know are left out. */
export function writeElement(name: string, schema: NormalizedSchema, value: unknown): string {
  const element = (content: string) => `<${name}>${content}</${name}>`;
  if (schema.isStructSchema()) return element(writeMembers(schema, value));
  const flattened = schema.getMergedTraits().xmlFlattened === 1;
  if (schema.isListSchema()) {
    const item = schema.getValueSchema();
    const itemName = flattened ? name : (item.getMergedTraits().xmlName ?? 'member');
    const items = (Array.isArray(value) ? value : [])
      .map((entry) => writeElement(itemName, item, entry))
      .join('');
    return flattened ? items : element(items);
  }
  if (schema.isMapSchema()) {
    const [key, item] = [schema.getKeySchema(), schema.getValueSchema()];
    const keyName = key.getMergedTraits().xmlName ?? 'key';
    const itemName = item.getMergedTraits().xmlName ?? 'value';
    const entryName = flattened ? name : 'entry';
    const items = Object.entries(typeof value === 'object' ? (value ?? {}) : {})
      .map(([name, entry]) => writeElement(keyName, key, name) + writeElement(itemName, item, entry))
      .map((content) => `<${entryName}>${content}</${entryName}>`)
      .join('');
    return flattened ? items : element(items);
  }
  return element(escapeXml(writeText(value)));
}

function writeText(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  return String(value);
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

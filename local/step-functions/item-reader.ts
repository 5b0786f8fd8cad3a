import type { Principal } from '../aws/operation.ts';
import { fillTemplate, type Scope, selectPath } from './data-flow.ts';
import type { ItemReader } from './definition.ts';
import { runtimeError, StatesError } from './errors.ts';
import { isJsonObject, type Json, parseJson } from './json.ts';

/** Reads an object of the emulated S3. @throws AwsError */
export type ReadObject = (
  principal: Principal,
  object: { bucket: string; key: string },
) => Promise<Uint8Array>;

/**
 * The items of a distributed Map that are in an object: a JSON array, or JSON objects line by line.
 *
 * @throws StatesError `States.ItemReaderFailed` when they cannot be read.
 */
export async function readItems(
  reader: ItemReader,
  scope: Scope,
  principal: Principal,
  readObject: ReadObject,
): Promise<Json[]> {
  const parameters = fillTemplate(reader.Parameters, scope);
  if (
    !isJsonObject(parameters) ||
    typeof parameters.Bucket !== 'string' ||
    typeof parameters.Key !== 'string'
  ) {
    throw runtimeError('The ItemReader needs a Bucket and a Key.');
  }
  const { Bucket: bucket, Key: key, ...others } = parameters;
  if (Object.keys(others).length > 0) {
    throw runtimeError(`The ItemReader does not support the parameter ${Object.keys(others).join(', ')}.`);
  }
  let items: Json[];
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(
      await readObject(principal, { bucket, key }),
    );
    items = reader.ReaderConfig.InputType === 'JSON' ? jsonItems(text) : lineItems(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StatesError('States.ItemReaderFailed', `s3://${bucket}/${key}: ${reason}`);
  }
  return items.slice(0, maxItems(reader, scope));
}

function jsonItems(text: string): Json[] {
  const value = parseJson(text);
  if (!Array.isArray(value)) throw new Error('Attempting to map over non-iterable node.');
  return value;
}

function lineItems(text: string): Json[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map(parseJson);
}

function maxItems(reader: ItemReader, scope: Scope): number | undefined {
  const { MaxItems, MaxItemsPath } = reader.ReaderConfig;
  if (MaxItemsPath === undefined) return MaxItems;
  const value = selectPath(MaxItemsPath, scope);
  if (typeof value === 'number' && Number.isInteger(value) && value > 0) return value;
  throw runtimeError(`The MaxItemsPath '${MaxItemsPath}' does not lead to a positive whole number.`);
}

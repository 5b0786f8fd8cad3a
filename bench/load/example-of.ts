import type * as z from 'zod';

type JsonSchema = z.core.JSONSchema._JSONSchema;

/** The least that a JSON Schema describes: required members, first choices, smallest numbers, empty lists. */
export function exampleOf(schema: JsonSchema): unknown {
  if (typeof schema === 'boolean') return null;
  if (schema.default !== undefined) return schema.default;
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return schema.enum[0];
  const [choice] = schema.anyOf ?? schema.oneOf ?? [];
  if (choice !== undefined) return exampleOf(choice);
  switch (schema.type) {
    case 'object': {
      const members = (schema.required ?? []).map((name) => [
        name,
        exampleOf(schema.properties?.[name] ?? true),
      ]);
      return Object.fromEntries(members);
    }
    case 'array':
      return Array.from({ length: schema.minItems ?? 0 }, () => exampleOf(itemOf(schema.items)));
    case 'integer':
    case 'number':
      return schema.minimum ?? 1;
    case 'boolean':
      return true;
    case 'string':
      return 'bench';
    default:
      return null;
  }
}

const itemOf = (items: JsonSchema | JsonSchema[] | undefined): JsonSchema =>
  (Array.isArray(items) ? items[0] : items) ?? true;

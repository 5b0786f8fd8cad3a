import * as z from 'zod';

/** A JSON Schema, as OpenAPI 3.1 embeds it. */
export type JsonSchema = z.core.JSONSchema.BaseSchema;

const prefix = '#/components/schemas/';

/**
 * Turns zod schemas into JSON Schema, and collects those with a title (or an id) as components, so that the
 * document describes each once.
 */
export class SchemaCollector {
  readonly components: Record<string, JsonSchema> = {};
  readonly #names = new Map<z.ZodType, string>();

  /** The schema itself, or a reference to its component. */
  reference(schema: z.ZodType): JsonSchema {
    const title = schema.meta()?.title;
    if (title === undefined) return this.inline(schema);
    const name = this.#names.get(schema) ?? this.#newName(title);
    if (!this.#names.has(schema)) {
      this.#names.set(schema, name);
      this.components[name] = this.inline(schema);
    }
    return { $ref: prefix + name };
  }

  /** The schema written out; what zod sets apart (recursion, ids) becomes components. */
  inline(schema: z.ZodType): JsonSchema {
    const { $schema, $defs, ...result } = z.toJSONSchema(schema, {
      target: 'draft-2020-12',
      io: 'input',
      unrepresentable: 'any',
      override: ({ jsonSchema }) => {
        // The format says it; zod's pattern for it is longer than the rest of a typical schema.
        if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
      },
    });
    for (const [name, definition] of Object.entries($defs ?? {})) {
      this.components[name] ??= withMovedReferences(definition);
    }
    return withMovedReferences(result);
  }

  #newName(title: string): string {
    const base = title.replace(/(?:^|[^A-Za-z0-9]+)([A-Za-z0-9])/g, (_match, letter: string) =>
      letter.toUpperCase(),
    );
    for (let suffix = 1; ; suffix++) {
      const name = suffix === 1 ? base : `${base}${suffix}`;
      if (this.components[name] === undefined) return name;
    }
  }
}

/** zod refers to definitions within one schema; in the document they live in one place. */
function withMovedReferences(schema: JsonSchema): JsonSchema {
  return JSON.parse(JSON.stringify(schema), (key, value: unknown) =>
    key === '$ref' && typeof value === 'string' ? value.replace(/^#\/\$defs\//, prefix) : value,
  );
}

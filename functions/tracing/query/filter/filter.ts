import type { SpanKind } from '../../model.ts';

/** Where a tag is looked for. */
export type TagScope = 'span' | 'resource' | 'any';

/** What a condition is about. */
export type Field =
  | { readonly of: 'service' | 'operation' | 'kind' | 'traceId' | 'spanId' }
  | { readonly of: 'durationMs' }
  | { readonly of: 'error' | 'root' }
  | { readonly of: 'tag'; readonly scope: TagScope; readonly key: string };

export const operators = ['=', '!=', '=~', '!~', '>=', '<=', '>', '<'] as const;
export type Operator = (typeof operators)[number];

/** What a field is compared with; `null` stands for a tag that is not there. */
export type Operand = string | number | boolean | null;

/**
 * What spans are searched for: conditions that one span fulfils by itself. Whatever is not `= null` is fulfilled by spans only that
 * have the tag.
 */
export type Filter =
  | { readonly all: readonly Filter[] }
  | { readonly any: readonly Filter[] }
  | { readonly field: Field; readonly operator: Operator; readonly operand: Operand };

/** A condition in short. */
export function where(field: Field, operator: Operator, operand: Operand): Filter {
  return { field, operator, operand };
}

export const ofService = (service: string) => where({ of: 'service' }, '=', service);
export const ofKind = (kind: SpanKind) => where({ of: 'kind' }, '=', kind);
export const withTag = (key: string, value: string) => where({ of: 'tag', scope: 'any', key }, '=', value);

/** The services that spans which fulfil the filter can be of; undefined where it does not say. */
export function servicesOf(filter: Filter): readonly string[] | undefined {
  if ('all' in filter) {
    const known = filter.all.map(servicesOf).filter((services) => services !== undefined);
    const [first, ...others] = known;
    return first?.filter((service) => others.every((services) => services.includes(service)));
  }
  if ('any' in filter) {
    const known = filter.any.map(servicesOf);
    const union = known.flatMap((services) => services ?? []);
    return known.includes(undefined) ? undefined : [...new Set(union)];
  }
  const { field, operator, operand } = filter;
  const named = field.of === 'service' && operator === '=' && typeof operand === 'string';
  return named ? [operand] : undefined;
}

import { spanKinds } from '../../model.ts';
import { type Field, type Filter, type Operand, type Operator, where } from '../filter/filter.ts';
import { QueryError } from './tokens.ts';

/** The fields of TraceQL that are not attributes and are served, by the names that it has for them. */
const intrinsics: Readonly<Record<string, Field>> = {
  duration: { of: 'durationMs' },
  'span:duration': { of: 'durationMs' },
  name: { of: 'operation' },
  'span:name': { of: 'operation' },
  kind: { of: 'kind' },
  'span:kind': { of: 'kind' },
  status: { of: 'error' },
  'span:status': { of: 'error' },
  'span:id': { of: 'spanId' },
  'trace:id': { of: 'traceId' },
  'resource.service.name': { of: 'service' },
  '.service.name': { of: 'service' },
  nestedSetParent: { of: 'root' },
};

/** The names of the fields that are not attributes, as they are listed for whoever writes a query. */
export const intrinsicNames = [
  'duration',
  'kind',
  'name',
  'status',
  'span:duration',
  'span:kind',
  'span:name',
  'span:status',
];

const scopes = { span: 'span', resource: 'resource', '': 'any' } as const;

/**
 * The field that a name of TraceQL stands for.
 *
 * @throws QueryError for names that are not served.
 */
export function fieldOf(name: string): Field {
  const intrinsic = intrinsics[name];
  if (intrinsic !== undefined) return intrinsic;
  const split = name.indexOf('.');
  const [scope, key] = [name.slice(0, split), name.slice(split + 1)];
  if (split >= 0 && key !== '' && (scope === 'span' || scope === 'resource' || scope === '')) {
    return { of: 'tag', scope: scopes[scope], key };
  }
  throw new QueryError(
    `${name} is not served here: attributes are span.…, resource.… or .…, and there are ${intrinsicNames.join(', ')}, ` +
      'span:id, trace:id and nestedSetParent',
  );
}

/**
 * A condition, where the operand fits the field.
 *
 * @throws QueryError where it does not.
 */
export function comparison(
  name: string,
  field: Field,
  operator: Operator,
  operand: Operand | { readonly word: string },
): Filter {
  const word = typeof operand === 'object' && operand !== null ? operand.word : undefined;
  if (name === 'nestedSetParent') {
    if (operator === '<' && operand === 0) return where(field, '=', true);
    throw new QueryError(
      'nestedSetParent is served as nestedSetParent < 0 alone, which is what roots fulfil',
    );
  }
  if (name === 'status' || name === 'span:status') {
    if (word !== 'error') {
      throw new QueryError(
        'status is compared with error alone: whether others are ok or unset is not indexed',
      );
    }
    return where(field, operator, true);
  }
  if (field.of === 'kind') {
    if (word === undefined || !spanKinds.some((kind) => kind === word)) {
      throw new QueryError(`kind is compared with one of ${spanKinds.join(', ')}`);
    }
    return where(field, operator, word);
  }
  if (typeof operand === 'object' && operand !== null) {
    throw new QueryError(`${operand.word} is no value for ${name}; texts have quotation marks`);
  }
  return where(field, operator, operand);
}

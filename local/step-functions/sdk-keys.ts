import { isJsonObject, type Json } from './json.ts';

/** A copy whose members' names, at every depth, begin with a lower or an upper case letter. */
export function withKeys(value: Json, first: 'lower' | 'upper'): Json {
  if (Array.isArray(value)) return value.map((element) => withKeys(element, first));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => {
      const initial = key.charAt(0);
      const changed = first === 'lower' ? initial.toLowerCase() : initial.toUpperCase();
      return [changed + key.slice(1), withKeys(member, first)];
    }),
  );
}

/**
 * Members of RDS as workflows know them. Step Functions has the names of the SDK for Java, where `DBClusters` is `DbClusters`: only
 * the first word of a name is written that way.
 */
export function withoutAcronym(value: Json): Json {
  return renamed(value, (key) =>
    key.replace(
      /^([A-Z])([A-Z]+)(?=[A-Z][a-z])/,
      (_, first: string, rest: string) => first + rest.toLowerCase(),
    ),
  );
}

/** The members of RDS that a workflow's parameters mean. @throws Error for a name that Step Functions does not have. */
export function withAcronym(value: Json): Json {
  return renamed(value, (key) => {
    if (/^DB[A-Z]/.test(key)) throw new Error(`The field "${key}" is not supported by Step Functions`);
    return key.replace(/^Db(?=[A-Z])/, 'DB');
  });
}

function renamed(value: Json, rename: (key: string) => string): Json {
  if (Array.isArray(value)) return value.map((element) => renamed(element, rename));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [rename(key), renamed(member, rename)]),
  );
}

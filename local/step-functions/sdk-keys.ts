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

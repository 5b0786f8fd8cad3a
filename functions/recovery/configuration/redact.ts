import { isSecretName } from './secret-name.ts';
import { embeddedTexts, isSecretText } from './secret-text.ts';

/** Stands for what was left out. */
export const redacted = '[redacted]';

/** JSON that is nested deeper than this is left out whole. */
const maximumDepth = 64;
/** Members by which a list of settings names one, and gives its value. */
const nameMembers = ['name', 'key', 'field', 'parameter', 'id'];
const valueMembers = ['value', 'values', 'default', 'content', 'data'];

/** A JSON value without what is, or looks like, a secret. */
export interface Redacted {
  readonly value: unknown;
  /** How many values and names were left out. */
  readonly count: number;
}

/**
 * The one rule by which secrets are left out of a backup of the configuration. Left out are: whatever stands under a name
 * that says secret, password, token and the like; text that has the form of a key, a token, a password in a URL or a
 * connection string, or of a long random one; such text within JSON, base64, hexadecimal, or percent-encoding within
 * text; and names that are themselves such text. When in doubt it is left out: a setting can be made again.
 */
export function redact(value: unknown): Redacted {
  let count = 0;
  const mark = (): string => {
    count++;
    return redacted;
  };

  const visit = (current: unknown, depth: number): unknown => {
    if (depth > maximumDepth) return mark();
    if (typeof current === 'string') return visitText(current, depth);
    if (Array.isArray(current)) return visitList(current, depth);
    if (typeof current === 'object' && current !== null) return visitObject(current, depth);
    return current;
  };

  const visitText = (text: string, depth: number): unknown => {
    const json = parsedJson(text);
    if (json !== undefined) {
      const before = count;
      const clean = visit(json.value, depth + 1);
      return count === before ? text : JSON.stringify(clean);
    }
    return isSecretText(text) || embeddedTexts(text).some((inner) => isSecretWithin(inner, depth + 1))
      ? mark()
      : text;
  };

  const isSecretWithin = (text: string, depth: number): boolean => {
    const before = count;
    visit(text, depth);
    const found = count > before;
    count = before;
    return found;
  };

  /** A pair of a name and a value, as tables of settings and command lines have them. */
  const visitList = (list: readonly unknown[], depth: number): unknown => {
    const [name] = list;
    const pair = list.length === 2 && typeof name === 'string' && isSecretName(name);
    return list.map((member, index) => {
      const before = list[index - 1];
      const option = typeof before === 'string' && /^--?\w/.test(before) && isSecretName(before);
      return (pair && index === 1) || option ? hide(member) : visit(member, depth + 1);
    });
  };

  const visitObject = (object: object, depth: number): unknown => {
    const members = Object.entries(object);
    const named = members.some(
      ([name, value]) =>
        nameMembers.includes(name.toLowerCase()) && typeof value === 'string' && isSecretName(value),
    );
    const clean = members.map(([name, value], index): [string, unknown] => {
      const secretName = typeof visitText(name, depth + 1) !== 'string' || isSecretWithin(name, depth + 1);
      const hidden = isSecretName(name) || (named && valueMembers.includes(name.toLowerCase()));
      return [secretName ? `${redacted} ${index + 1}` : name, hidden ? hide(value) : visit(value, depth + 1)];
    });
    return Object.fromEntries(clean);
  };

  /** That there is nothing, or whether something is on, is no secret. */
  const hide = (value: unknown): unknown =>
    value === null || value === undefined || value === '' || typeof value === 'boolean' ? value : mark();

  return { value: visit(value, 0), count };
}

/** What a text holds that is JSON of more than one plain value. */
function parsedJson(text: string): { value: unknown } | undefined {
  const trimmed = text.trim();
  if (!/^[[{"]/.test(trimmed)) return undefined;
  try {
    return { value: JSON.parse(trimmed) };
  } catch {
    return undefined;
  }
}

import type { AccessLogContext } from './exchange.ts';

/**
 * Writes one line of an access log: each `$context.name` is replaced by its value, by `-` when there
 * is none. In a JSON format values are escaped, so that a request cannot break out of its field.
 */
export function accessLogLine(format: string, context: AccessLogContext): string {
  const json = format.trimStart().startsWith('{');
  const line = format.replace(/\$context\.([A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)*)/g, (_, name: string) => {
    const value = Object.hasOwn(context, name) ? context[name] : undefined;
    const text = value === undefined || value === '' ? '-' : String(value);
    return json ? JSON.stringify(text).slice(1, -1) : printable(text);
  });
  return line.replaceAll('\n', ' ');
}

function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a line must not be broken by what it reports.
  return text.replace(/[\u0000-\u001f\u007f]/g, ' ');
}

const namespace = 'http://s3.amazonaws.com/doc/2006-03-01/';

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

/** Escapes text for XML; control characters become references, as S3 writes those of keys. */
export function escapeXml(text: string): string {
  return text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: keys may hold them, and XML may not
    /[&<>"\u0000-\u001f\u007f]/g,
    (character) => escapes[character] ?? `&#x${character.charCodeAt(0).toString(16)};`,
  );
}

/** An element with text; nothing at all when the value is undefined. */
export function field(name: string, value: string | number | boolean | undefined): string {
  return value === undefined ? '' : `<${name}>${escapeXml(String(value))}</${name}>`;
}

/** An element with children, which are XML already. */
export function element(name: string, ...children: readonly string[]): string {
  return `<${name}>${children.join('')}</${name}>`;
}

/** A whole answer of S3. */
export function document(name: string, ...children: readonly string[]): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${name} xmlns="${namespace}">${children.join('')}</${name}>`;
}

/** A time as S3 writes it in XML. */
export function timestamp(milliseconds: number): string {
  return new Date(Math.floor(milliseconds / 1000) * 1000).toISOString();
}

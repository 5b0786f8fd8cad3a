/** Quotes a name for SQL, whatever characters it has. */
export const quoteIdentifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** Quotes a text as a string constant, independent of `standard_conforming_strings`. */
export const quoteLiteral = (text: string): string => {
  const quoted = `'${text.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`;
  return text.includes('\\') ? ` E${quoted}` : quoted;
};

/** `schema.name` as SQL and people read it. */
export const qualifiedName = (relation: { schema: string; name: string }): string =>
  `${quoteIdentifier(relation.schema)}.${quoteIdentifier(relation.name)}`;

/** The SQLSTATE of an error that PostgreSQL reported. */
export function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code) ? error.code : undefined;
}

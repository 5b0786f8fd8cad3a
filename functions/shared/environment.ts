import type * as z from 'zod';

/** Where environment variables are read from: the process's, or a test's. */
export type EnvironmentSource = Readonly<Record<string, string | undefined>>;

/**
 * Reads a function's environment variables as its contract declares them. Called once, at cold start.
 *
 * @throws Error naming every variable that is missing or wrong; values are not repeated.
 */
export function readEnvironment<S extends z.ZodObject>(
  schema: S,
  source: EnvironmentSource = process.env,
): z.output<S> {
  const result = schema.safeParse(source);
  if (result.success) return result.data;
  const complaints = result.error.issues.map((issue) => {
    const name = issue.path.map(String).join('.');
    return source[name] === undefined ? `${name} is not set` : `${name}: ${issue.message}`;
  });
  throw new Error(`The function's environment is not what its contract asks for: ${complaints.join('; ')}`);
}

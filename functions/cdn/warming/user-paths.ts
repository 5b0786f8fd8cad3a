import * as z from 'zod';

export const userIdSchema = z
  .string()
  .min(1)
  .max(128)
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._@-]*$/,
    'has letters, digits and ._@- only, and begins with one of the first two',
  );

/** The paths of one user: templates in which `{userId}` stands for who it is. */
export const pathsOfUser = (templates: readonly string[], userId: string): string[] =>
  templates.map((template) => template.replaceAll('{userId}', () => encodeURIComponent(userId)));

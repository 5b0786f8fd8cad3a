import { Problem } from '../../shared/problem.ts';

export const noSuchKey = () => new Problem('not-found', 'There is no API key of this id.');

export const revokedKey = () => new Problem('conflict', 'The API key has been revoked.');

export const lastAdminKey = () =>
  new Problem(
    'conflict',
    'This is the last admin key that does not expire. Make another one first (POST /api/access/keys, with the scope `admin` and without `validUntil`), and see that it works.',
  );

/** A part of the body that is well formed and does not fit. @param field without `body.` */
export const unfitting = (field: string, message: string) =>
  new Problem('unprocessable-request', `body.${field}: ${message}.`, {
    errors: [{ field: `body.${field}`, message }],
  });

import { describe, expect, it } from '@jest/globals';
import { NotReadyError } from '../../../functions/recovery/errors.ts';
import { connectError } from '../../../functions/recovery/snapshot/connect-error.ts';

const login = { user: 'mainstay_backup', host: 'writer', port: 5432, database: 'platform' };

describe('a connection that is not made', () => {
  it.each([
    ['28000', 'PAM authentication failed', 'rds-db:connect'],
    ['3D000', 'database "platform" does not exist', 'the shard is configured with'],
    ['53300', 'too many connections', 'connections and memory left'],
    ['57P03', 'the database system is starting up', 'starting or shutting down'],
    ['ECONNREFUSED', 'connect ECONNREFUSED 10.42.0.7:5432', 'security groups'],
    [undefined, 'timeout expired', 'security groups'],
  ])('is tried again, and says where it led and what to look at: %s %s', (code, message, question) => {
    const cause = Object.assign(new Error(message), { code });
    const error = connectError(cause, login);
    expect(error).toBeInstanceOf(NotReadyError);
    expect(error.message).toContain(
      `mainstay_backup cannot connect to writer:5432/platform: ${cause.message}. `,
    );
    expect(error.message).toContain(question);
    expect(error.cause).toBe(cause);
  });
});

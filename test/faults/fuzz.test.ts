import { describe, it, jest } from '@jest/globals';
import { apiClient } from '../e2e/support/api.ts';
import { createKey } from '../e2e/support/aws.ts';
import { fuzz } from '../e2e/support/fuzz.ts';
import { sharedPlatform } from '../e2e/support/shared-platform.ts';

jest.setTimeout(900_000);

describe('whatever is sent to a route', () => {
  it('is answered without an error of the server, and what is not accepted changes nothing', async () => {
    const local = await sharedPlatform();
    await fuzz(apiClient(local), await createKey(local, ['admin']), 3_000);
  });
});

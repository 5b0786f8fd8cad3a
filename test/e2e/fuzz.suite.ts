import { describe, it } from '@jest/globals';
import { apiClient } from './support/api.ts';
import { createKey } from './support/aws.ts';
import { fuzz } from './support/fuzz.ts';
import { sharedPlatform } from './support/shared-platform.ts';

describe('whatever is sent to a route', () => {
  it('is answered without an error of the server, and what is not accepted changes nothing', async () => {
    const local = await sharedPlatform();
    await fuzz(apiClient(local), await createKey(local, ['admin']), 60);
  });
});

import { gate } from '../access/gate.ts';
import { httpFunction } from '../shared/http-function.ts';
import type { HttpHandlers } from '../shared/http-handler.ts';
import { cdnContract } from './contract.ts';

/** The API of the CDN. Each part brings the handlers of its own routes. */
export const handler = httpFunction({
  contract: cdnContract,
  functionContract: cdnContract.functions.api,
  gate,
  handlers: (): HttpHandlers<typeof cdnContract> => ({}),
});

import { once } from 'node:events';
import type { Server } from 'node:http';
import { createRequire } from 'node:module';

/** A DynamoDB in a process of its own, until whoever started it goes. Says where it is. */
const createDynalite: (options: { createTableMs: number }) => Server = createRequire(import.meta.url)(
  'dynalite',
);
const server = createDynalite({ createTableMs: 0 });
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const address = server.address();
if (address === null || typeof address === 'string') throw new Error('DynamoDB does not listen');
process.once('disconnect', () => {
  server.closeAllConnections();
  server.close();
});
process.send?.({ url: `http://127.0.0.1:${address.port}` });

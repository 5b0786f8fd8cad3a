import { once } from 'node:events';
import { createServer } from 'node:http';

/** An edge and the API of CloudFront in a process of their own, which answer at once. Says where they are. */
const kept = Buffer.alloc(2_000, 'x');
const invalidation =
  '<Invalidation xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><Id>I1</Id><Status>Completed</Status></Invalidation>';
const server = createServer((request, response) => {
  if (request.method === 'POST') {
    request.resume();
    request.on('end', () => response.writeHead(201).end(invalidation));
    return;
  }
  response.writeHead(200, {
    'x-cache': 'Miss from cloudfront',
    'x-amz-cf-pop': 'BENCH',
    'content-length': '2000',
  });
  response.end(kept);
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const address = server.address();
if (address === null || typeof address === 'string') throw new Error('The edge does not listen');
process.once('disconnect', () => {
  server.closeAllConnections();
  server.close();
});
process.send?.({ url: `http://127.0.0.1:${address.port}` });

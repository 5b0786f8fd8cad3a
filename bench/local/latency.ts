import { Agent, createServer, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** Between the starts of two requests, in milliseconds: fewer a second than the API lets through. */
const paceMs = 25;

export interface Latency {
  /** The first request, in milliseconds: whatever starts on demand starts with it. */
  first: number;
  /** Of the requests after it, one after the other. */
  rest: readonly number[];
}

/**
 * Sends the same GET again and again over one connection, one after the other.
 *
 * @throws when an answer is not 200.
 */
export async function measureLatency(
  url: URL,
  headers: Readonly<Record<string, string>>,
  requests: number,
): Promise<Latency> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    const first = await timed(url, headers, agent);
    const rest: number[] = [];
    for (let index = 0; index < requests; index++) {
      const milliseconds = await timed(url, headers, agent);
      rest.push(milliseconds);
      await sleep(Math.max(0, paceMs - milliseconds));
    }
    return { first, rest };
  } finally {
    agent.destroy();
  }
}

/** The least that a local HTTP answer takes: a server of Node.js that answers at once. */
export async function measureBareServer(requests: number): Promise<Latency> {
  const server = createServer((_, response) => response.end('{"status":"ok"}'));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  try {
    return await measureLatency(new URL(`http://127.0.0.1:${address.port}`), {}, requests);
  } finally {
    await new Promise((done) => server.close(done));
  }
}

function timed(url: URL, headers: Readonly<Record<string, string>>, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const sent = request(url, { agent, headers }, (response) => {
      response.resume();
      response.once('end', () => {
        if (response.statusCode === 200) resolve(performance.now() - started);
        else reject(new Error(`${url.pathname} answered ${response.statusCode}.`));
      });
    });
    sent.once('error', reject).end();
  });
}

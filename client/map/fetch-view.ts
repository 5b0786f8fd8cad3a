import { type View, viewOf } from './view.ts';

/** The most that an answer may have, in bytes: 2 048 ranges and 36 shards have a tenth of it. */
const mostBytes = 4 * 1_048_576;
/** How long the API may take, in milliseconds. */
const answerMs = 10_000;

export type FetchView = (signal: AbortSignal) => Promise<View>;

/**
 * Asks the API for the shard map.
 *
 * @throws Error saying what it answered instead; the API key is in no message.
 */
export function viewFrom({ api, apiKey }: { api: string; apiKey: string }): FetchView {
  const url = new URL('api/database/sharding', api.endsWith('/') ? api : `${api}/`);
  return async (signal) => {
    const response = await fetch(url, {
      headers: { authorization: `Bearer ${apiKey}`, accept: 'application/json' },
      // A redirect would take the key elsewhere.
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(answerMs)]),
    });
    const text = await bounded(response);
    if (!response.ok) throw new Error(`${url.href} answered ${response.status}`);
    return viewOf(JSON.parse(text));
  };
}

async function bounded({ body }: Response): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of body ?? []) {
    bytes += piece.byteLength;
    if (bytes > mostBytes) throw new Error(`The shard map has more than ${mostBytes} bytes.`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

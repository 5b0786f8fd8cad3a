import { lookup } from 'node:dns/promises';
import type { Network } from './networks.ts';
import { post } from './post.ts';
import { type ResolveOptions, resolvePublic } from './resolve-public.ts';
import type { Send } from './send.ts';

/** For one attempt as a whole, in milliseconds: the name's resolution, the connection, and the answer. */
const attemptMs = 15_000;

/** How URLs of webhooks are resolved: by the system, to all addresses of the name. */
function resolving(privateNetworks: readonly Network[]): ResolveOptions {
  return {
    privateNetworks,
    lookup: async (name) => {
      const found = await lookup(name, { all: true, order: 'ipv4first' });
      return found.map(({ address }) => address);
    },
  };
}

/** Finds out whether webhooks may call a URL, as things are now. @throws DeliveryError when they may not. */
export function publicUrlChecker(privateNetworks: readonly Network[]): (url: string) => Promise<unknown> {
  return (url) => resolvePublic(url, resolving(privateNetworks));
}

/** Sends where a URL leads at that very moment, when it may be called. */
export function publicSender(privateNetworks: readonly Network[]): Send {
  const options = resolving(privateNetworks);
  return async (url, headers, body) => {
    const started = performance.now();
    const target = await resolvePublic(url, options);
    const totalMs = Math.max(1, attemptMs - Math.round(performance.now() - started));
    return post(target, { headers, body, totalMs });
  };
}

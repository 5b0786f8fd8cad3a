import { type Purge, purgeSchema } from '../functions/cdn/purge/model.ts';
import { type Warming, warmingSchema } from '../functions/cdn/warming/model.ts';
import type { ApiClient } from './api-client.ts';

/** What is to be purged, as the API takes it. */
export interface PurgeWish {
  readonly paths?: readonly string[] | undefined;
  readonly prefixes?: readonly string[] | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly everything?: boolean | undefined;
  readonly website?: string | undefined;
  readonly verify?: boolean | undefined;
  readonly rewarm?: boolean | undefined;
}

/** What is to be warmed: paths, or so many of those that are asked for most. */
export interface WarmWish {
  readonly paths?: readonly string[] | undefined;
  readonly top?: number | undefined;
  readonly website?: string | undefined;
  readonly priority?: 'high' | undefined;
}

/** Starts a purge. Returns its id. */
export const startPurge = async (client: ApiClient, wish: PurgeWish): Promise<string> =>
  (await client.call('POST', '/api/cdn/purge', purgeSchema, wish)).id;

/** Waits until a purge has ended. */
export const followPurge = (client: ApiClient, id: string): Promise<Purge> =>
  client.follow(`/api/cdn/purge/${id}`, purgeSchema, () => {});

/** Starts a warming. Returns its id. */
export async function startWarming(client: ApiClient, wish: WarmWish): Promise<string> {
  const path = `/api/cdn/warming/${wish.top === undefined ? 'warm' : 'popular'}`;
  return (await client.call('POST', path, warmingSchema, wish)).id;
}

/** Waits until a warming has ended, and shows how far it is. */
export const followWarming = (
  client: ApiClient,
  id: string,
  show: (warming: Warming) => void = () => {},
): Promise<Warming> => client.follow(`/api/cdn/warming/${id}`, warmingSchema, show);

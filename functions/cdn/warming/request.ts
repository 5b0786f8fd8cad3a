import type { FieldError } from '../../shared/problem.ts';
import type { WarmingId } from '../ids.ts';
import { InvalidRequestError } from '../providers/errors.ts';
import { InvalidItemError, normalisePath, type QueryStrings } from '../providers/normalise.ts';
import type { Asking, Priority } from './model.ts';
import { mostCharacters, mostRequests } from './model.ts';
import type { Wanted, WarmingRecord } from './record.ts';
import { tasksOf } from './tasks.ts';

/** Paths as a request names them. */
export type AskedPath = string | { readonly path: string; readonly priority: Priority };

/** Where a warming goes. */
export interface Place {
  readonly domain: string;
  readonly locations: WarmingRecord['locations'];
}

export interface WarmingAbout {
  readonly id: WarmingId;
  readonly trigger: WarmingRecord['trigger'];
  readonly requestedBy?: string | undefined;
  readonly scheduleId?: string | undefined;
  readonly traceparent: string;
  readonly now: number;
}

/**
 * Makes a warming of paths: each in its one spelling, once, with the greater of its priorities.
 *
 * @param field the part of the request that names the paths.
 * @throws InvalidRequestError
 */
export function newWarming(
  asked: readonly AskedPath[],
  { priority, concurrency, encodings, imageFormats }: Omit<Asking, 'website'>,
  { domain, locations }: Place,
  queryStrings: QueryStrings,
  about: WarmingAbout,
  field = 'paths',
): { record: WarmingRecord; wanted: Wanted } {
  const wanted: Wanted = {
    paths: pathsOf(asked, queryStrings, field),
    imageFormats: [...new Set(imageFormats)],
    ...(encodings !== undefined && { encodings: [...new Set(encodings)] }),
  };
  const requests = tasksOf(
    wanted,
    locations.map(({ address }) => address),
  ).length;
  if (requests > mostRequests) {
    const message = `are ${requests} requests in all variants, more than ${mostRequests}: use several warmings`;
    throw new InvalidRequestError([{ field: `body.${field}`, message }]);
  }
  const { now, ...rest } = about;
  return {
    wanted,
    record: {
      ...{ ...rest, version: 0, state: 'queued', domain, priority, concurrency, requests },
      locations: [...locations],
      ...{ done: 0, cold: 0, warm: 0, failed: 0, bytes: 0 },
      createdAt: new Date(now).toISOString(),
    },
  };
}

function pathsOf(asked: readonly AskedPath[], queryStrings: QueryStrings, field: string): Wanted['paths'] {
  const errors: FieldError[] = [];
  const paths = new Map<string, Priority>();
  asked.forEach((one, index) => {
    const { path, priority } = typeof one === 'string' ? { path: one, priority: 'normal' as const } : one;
    try {
      const normal = normalisePath(path, queryStrings);
      paths.set(normal, paths.get(normal) === 'high' ? 'high' : priority);
    } catch (error) {
      if (!(error instanceof InvalidItemError)) throw error;
      errors.push({ field: `body.${field}.${index}`, message: error.message });
    }
  });
  if ([...paths.keys()].join('').length > mostCharacters) {
    errors.push({
      field: `body.${field}`,
      message: `have more than ${mostCharacters} characters: use several warmings`,
    });
  }
  if (errors.length > 0) throw new InvalidRequestError(errors);
  return [...paths].map(([path, priority]) => ({ path, priority }));
}

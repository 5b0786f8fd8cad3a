import type { FieldError } from '../../shared/problem.ts';
import type { PurgeId } from '../ids.ts';
import { requireAble } from '../providers/abilities.ts';
import { InvalidRequestError } from '../providers/errors.ts';
import {
  InvalidItemError,
  normalisePath,
  normalisePrefix,
  normaliseTag,
  type QueryStrings,
} from '../providers/normalise.ts';
import { planCalls } from '../providers/plan-calls.ts';
import type { EdgeProvider, PurgeItems } from '../providers/provider.ts';
import { isNamed } from '../providers/sites.ts';
import { coalesce } from './coalesce.ts';
import { mostCharacters, mostChecks, type PurgeBody } from './model.ts';
import { newCheck } from './prove.ts';
import type { PurgeRecord } from './record.ts';

/** Reads what is to be purged in its one spelling, the least that comes to the same. @throws InvalidRequestError */
export function itemsOf(
  body: PurgeBody,
  queryStrings: QueryStrings,
): { items: PurgeItems; checked: string[]; rewarm: string[] } {
  const errors: FieldError[] = [];
  const each = (field: string, texts: readonly string[], read: (text: string) => string): string[] =>
    texts.flatMap((text, index) => {
      try {
        return [read(text)];
      } catch (error) {
        if (!(error instanceof InvalidItemError)) throw error;
        errors.push({ field: `body.${field}.${index}`, message: error.message });
        return [];
      }
    });
  const path = (text: string) => normalisePath(text, queryStrings);
  const paths = each('paths', body.paths, path);
  const prefixes = each('prefixes', body.prefixes, normalisePrefix);
  const tags = each('tags', body.tags, normaliseTag);
  const verifyPaths = each('verifyPaths', body.verifyPaths ?? [], path);
  const nothing = paths.length + prefixes.length + tags.length === 0;
  const everything = body.everything || (nothing && isNamed(body));
  const checked = [...new Set(verifyPaths.length > 0 ? verifyPaths : paths)].slice(0, mostChecks);
  const add = (field: string, message: string) => errors.push({ field: `body.${field}`, message });
  if (body.verify && checked.length === 0) add('verifyPaths', 'is needed where no single path is purged');
  if (!body.verify && body.verifyPaths !== undefined) add('verifyPaths', 'is for a purge with `verify`');
  if (body.verify && body.soft) add('soft', 'leaves the content where it is: that cannot be verified');
  if (body.rewarm && paths.length + checked.length === 0) add('rewarm', 'needs paths to put into the cache');
  if ([...paths, ...prefixes, ...tags].join('').length > mostCharacters) {
    add(
      'paths',
      `together with prefixes and tags have more than ${mostCharacters} characters: use several purges`,
    );
  }
  if (errors.length > 0) throw new InvalidRequestError(errors);
  const rewarm = body.rewarm ? [...new Set(paths.length > 0 ? paths : checked)] : [];
  return { items: coalesce({ paths, prefixes, tags, everything }), checked, rewarm };
}

/**
 * Makes a purge of a request.
 *
 * @throws InvalidRequestError, NotSupportedError, UnknownSiteError, ProviderUnreachableError, ProviderThrottledError,
 * ProviderRefusedError, BreakerOpenError
 */
export async function newPurge(
  provider: EdgeProvider,
  body: PurgeBody,
  queryStrings: QueryStrings,
  about: {
    readonly id: PurgeId;
    readonly requestedBy: string;
    readonly traceparent: string;
    readonly now: number;
  },
): Promise<{ record: PurgeRecord; items: PurgeItems; rewarm: readonly string[] }> {
  const { items, checked, rewarm } = itemsOf(body, queryStrings);
  const { kind, abilities, limits } = provider;
  const { website, tenant, soft, verify } = body;
  const target = await provider.target({ website, tenant });
  requireAble(kind, abilities, items, { soft, site: target.shared });
  const { paths, prefixes, tags, everything } = items;
  return {
    ...{ items, rewarm },
    record: {
      ...{ id: about.id, version: 0, state: 'queued', trigger: 'api', provider: kind, target, soft },
      stage: verify ? 'checking' : 'submitting',
      requestedBy: about.requestedBy,
      traceparent: about.traceparent,
      counts: { paths: paths.length, prefixes: prefixes.length, tags: tags.length, everything },
      calls: planCalls(items, limits).length,
      ...{ submitted: 0, open: [], rewarm: rewarm.length > 0 },
      ...(verify && { checks: checked.map(newCheck) }),
      createdAt: new Date(about.now).toISOString(),
    },
  };
}

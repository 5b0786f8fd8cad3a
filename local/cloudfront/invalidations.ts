import { randomBytes } from 'node:crypto';
import { AwsError } from '../aws/operation.ts';
import { isTag } from './cache-tags.ts';
import type { EdgeCache } from './edge-cache.ts';
import { comparable } from './request-target.ts';

/** Which distribution or tenant an invalidation is for, and which distribution's quotas it counts against. */
export interface InvalidationTarget {
  owner: string;
  distributionId: string;
  /** Whether answers carry tags. */
  tagged: boolean;
}

export interface Invalidation {
  id: string;
  target: InvalidationTarget;
  status: 'InProgress' | 'Completed';
  /** Milliseconds since the epoch. */
  createdAt: number;
  callerReference: string;
  paths: readonly string[];
}

export interface InvalidationsOptions {
  cache: EdgeCache;
  now: () => number;
  /** How long one takes, in ms. */
  durationMs: number;
}

/**
 * Paths and wildcards of a distribution that may be in progress at once. AWS names no number for tags; here they
 * count as paths.
 * @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html#limits-invalidations
 */
const quotas = { path: 3000, wildcard: 15 };
/** Most invalidations that are remembered; the oldest completed one is forgotten first. */
const mostRemembered = 10_000;
const longestPath = 4000;

/** Invalidations: each takes a while, and what it names is gone from the cache when it is completed, not before. */
export class Invalidations {
  readonly #options: InvalidationsOptions;
  readonly #all = new Map<string, Invalidation>();
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(options: InvalidationsOptions) {
    this.#options = options;
  }

  /**
   * Begins one, or finds the one that was begun with this caller reference and the same paths.
   *
   * @throws {AwsError} `InvalidArgument`, `BatchTooLarge`, `InvalidationBatchAlreadyExists`,
   *   `TooManyInvalidationsInProgress`.
   */
  create(target: InvalidationTarget, paths: readonly string[], callerReference: string): Invalidation {
    check(target, paths);
    const same = this.of(target.owner).find((each) => each.callerReference === callerReference);
    if (same !== undefined) {
      if (sorted(same.paths) === sorted(paths)) return same;
      throw new AwsError(
        'InvalidationBatchAlreadyExists',
        'Your request contains a caller reference that was used for a previous invalidation batch for the same distribution.',
        409,
      );
    }
    this.#requireQuota(target, paths);
    const invalidation: Invalidation = {
      id: `I${randomBytes(16).toString('hex').toUpperCase().slice(0, 25)}`,
      target,
      status: 'InProgress',
      createdAt: this.#options.now(),
      callerReference,
      paths,
    };
    this.#all.set(invalidation.id, invalidation);
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#complete(invalidation);
    }, this.#options.durationMs);
    this.#timers.add(timer);
    return invalidation;
  }

  /** @throws `NoSuchInvalidation` (404). */
  get(owner: string, id: string): Invalidation {
    const found = this.#all.get(id);
    if (found === undefined || found.target.owner !== owner) {
      throw new AwsError('NoSuchInvalidation', 'The specified invalidation does not exist.', 404);
    }
    return found;
  }

  /** Those of a distribution or tenant, the latest first. */
  of(owner: string): Invalidation[] {
    return [...this.#all.values()].filter(({ target }) => target.owner === owner).reverse();
  }

  /** How many of a distribution are in progress, those of its tenants included. */
  inProgress(distributionId: string): number {
    return this.#running(distributionId).length;
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  #running(distributionId: string): Invalidation[] {
    return [...this.#all.values()].filter(
      ({ status, target }) => status === 'InProgress' && target.distributionId === distributionId,
    );
  }

  #requireQuota(target: InvalidationTarget, paths: readonly string[]): void {
    const running = this.#running(target.distributionId).flatMap((each) => each.paths);
    for (const kind of ['path', 'wildcard'] as const) {
      const count = (list: readonly string[]) => list.filter((path) => kindOf(path) === kind).length;
      const wanted = count(paths);
      if (wanted > 0 && count(running) + wanted > quotas[kind]) {
        throw new AwsError(
          'TooManyInvalidationsInProgress',
          `Processing your request will cause you to exceed the maximum number of in-progress ${kind} invalidations.`,
          400,
        );
      }
    }
  }

  #complete(invalidation: Invalidation): void {
    const fits = matcherOf(invalidation.paths);
    this.#options.cache.remove(
      (answer) => answer.owner === invalidation.target.owner && fits(comparable(answer.uri), answer.tags),
    );
    invalidation.status = 'Completed';
    for (const [id, { status }] of this.#all) {
      if (this.#all.size <= mostRemembered) break;
      if (status === 'Completed') this.#all.delete(id);
    }
  }
}

function kindOf(path: string): 'path' | 'wildcard' {
  return !path.startsWith('#') && path.endsWith('*') ? 'wildcard' : 'path';
}

/** Whether one of the paths means an answer: itself, what begins like it, or its tag. */
function matcherOf(paths: readonly string[]): (uri: string, tags: ReadonlySet<string>) => boolean {
  const tags = paths.flatMap((path) => (path.startsWith('#') ? [path.slice(1).toLowerCase()] : []));
  const others = paths
    .filter((path) => !path.startsWith('#'))
    .map((path) => (path.startsWith('/') ? path : `/${path}`));
  const exact = new Set(others.filter((path) => kindOf(path) === 'path').map(comparable));
  const prefixes = others
    .filter((path) => kindOf(path) === 'wildcard')
    .map((path) => comparable(path.slice(0, -1)));
  return (uri, own) =>
    exact.has(uri) || prefixes.some((prefix) => uri.startsWith(prefix)) || tags.some((tag) => own.has(tag));
}

function check({ tagged }: InvalidationTarget, paths: readonly string[]): void {
  const invalid = (message: string) => new AwsError('InvalidArgument', message, 400);
  if (paths.length === 0) throw invalid('Your request contains no paths.');
  if (paths.length > quotas.path) {
    throw new AwsError('BatchTooLarge', 'Invalidation batch specified is too large.', 413);
  }
  if (new Set(paths).size !== paths.length)
    throw invalid('Your request contains one or more duplicate paths.');
  for (const path of paths) {
    if (path.startsWith('#')) {
      if (!tagged) throw invalid('The distribution has no cache tag configuration.');
      if (!isTag(path.slice(1))) throw invalid('Your request contains one or more invalid cache tags.');
      continue;
    }
    const wild = path.indexOf('*');
    const badWildcard = wild >= 0 && wild !== path.length - 1;
    if (!/^[\x21-\x7e]+$/.test(path) || path.length > longestPath || badWildcard) {
      throw invalid('Your request contains one or more invalid invalidation paths.');
    }
  }
}

function sorted(paths: readonly string[]): string {
  return JSON.stringify([...paths].sort());
}

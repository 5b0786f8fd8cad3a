import type { Behavior, DistributionConfig } from './definition.ts';

/**
 * Whether a path fits a path pattern: `*` is any characters, `?` exactly one; upper and lower case differ, and a
 * leading slash is optional.
 * @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesCacheBehavior.html#DownloadDistValuesPathPattern
 */
export function fitsPattern(path: string, pattern: string): boolean {
  const source = (pattern.startsWith('/') || pattern.startsWith('*') ? pattern : `/${pattern}`)
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll(/\*+/g, '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(path);
}

/** The behavior that a path gets: of the first pattern that fits, else the default one. */
export function behaviorFor(config: DistributionConfig, path: string): Behavior {
  return (
    config.CacheBehaviors.find(({ PathPattern }) => fitsPattern(path, PathPattern)) ??
    config.DefaultCacheBehavior
  );
}

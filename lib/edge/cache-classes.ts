import { Duration } from 'aws-cdk-lib';

/** A kind of file, by how long it may be served from a cache. */
export interface CacheClass {
  name: string;
  /** Paths it is found under; the class without any is for all the others. */
  patterns: readonly string[];
  /** How long the edge keeps a file whose origin does not say. */
  edge: Duration;
  /** The longest that the edge keeps a file, whatever its origin says. */
  longest: Duration;
  /** What browsers are told where the origin says nothing. */
  cacheControl: string;
}

/** A file that never changes under its name, because the name contains a hash of its content. */
const versioned: CacheClass = {
  name: 'static',
  patterns: ['/static/*', '/assets/*'],
  edge: Duration.days(365),
  longest: Duration.days(365),
  cacheControl: 'public, max-age=31536000, immutable',
};

const media: CacheClass = {
  name: 'media',
  patterns: ['/media/*'],
  edge: Duration.days(30),
  longest: Duration.days(30),
  cacheControl: 'public, max-age=2592000',
};

const html: CacheClass = {
  name: 'html',
  patterns: ['*.html'],
  edge: Duration.hours(1),
  longest: Duration.hours(1),
  cacheControl: 'public, max-age=3600, must-revalidate',
};

/** The classes of files that have paths of their own, in the order in which CloudFront tries them. */
export const cacheClasses: readonly CacheClass[] = [versioned, media, html];

/** Every other file. */
export const otherFiles: CacheClass = {
  name: 'other',
  patterns: [],
  edge: Duration.hours(1),
  longest: Duration.hours(24),
  cacheControl: 'public, max-age=3600',
};

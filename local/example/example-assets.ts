import { exampleSite, type SiteFile } from './example-site.ts';

/** A file of the example platform. */
export type ExampleAsset = SiteFile;

/** Names of the pages that the example's website has. */
const pages = ['index', 'pricing', 'about', 'imprint'];
/** Largest of the example's files, in bytes: one that is too large for a pack. */
const videoBytes = 1_200_000;

/** The files of the example platform, the same ones each time: a small website, and something large. */
export function exampleAssets(): ExampleAsset[] {
  const html = pages.map((page) => ({
    key: `site/${page}.html`,
    contentType: 'text/html; charset=utf-8',
    body: `<!doctype html>\n<link rel="stylesheet" href="style.css">\n<h1>${page}</h1>\n<p>${`The ${page} page of the example. `.repeat(20)}</p>\n`,
  }));
  const images = [1, 2, 3, 4].map((number) => ({
    key: `media/image-${number}.svg`,
    contentType: 'image/svg+xml',
    body: `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100"><circle r="${number * 10}"/></svg>\n`,
  }));
  return [
    ...html,
    { key: 'site/style.css', contentType: 'text/css', body: 'body { font-family: sans-serif; }\n' },
    ...images,
    ...exampleSite(),
    { key: 'media/film.mp4', contentType: 'video/mp4', body: noise(videoBytes) },
  ];
}

/** Bytes that no compression makes smaller; a linear congruential generator is random enough for that. */
function noise(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = 1;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

/**
 * Fills a bucket with the example's files, unless it has the first of them already.
 *
 * @param call an operation of S3.
 */
export async function loadExampleAssets(
  call: (operation: 'ListObjectsV2' | 'PutObject', input: Record<string, unknown>) => Promise<unknown>,
  bucket: string,
): Promise<'loaded' | 'present'> {
  const found = await call('ListObjectsV2', { Bucket: bucket, MaxKeys: 1 });
  if (typeof found === 'object' && found !== null && 'Contents' in found && found.Contents !== undefined) {
    return 'present';
  }
  for (const { key, contentType, body, tags } of exampleAssets()) {
    const metadata = tags === undefined ? {} : { Metadata: { 'cache-tag': tags } };
    await call('PutObject', { Bucket: bucket, Key: key, Body: body, ContentType: contentType, ...metadata });
  }
  return 'loaded';
}

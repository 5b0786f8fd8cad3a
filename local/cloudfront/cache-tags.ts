/** Most tags of one answer that CloudFront keeps. */
const mostTags = 50;
const longestTag = 256;

/**
 * The tags of an answer: separated by commas, upper and lower case alike, visible ASCII.
 * @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-tags.html
 */
export function tagsOf(header: string): Set<string> {
  const tags = header
    .split(',')
    .map((tag) => tag.trim().toLowerCase())
    .filter(isTag);
  return new Set(tags.slice(0, mostTags));
}

/** Whether a text can be a tag. */
export function isTag(text: string): boolean {
  return text.length <= longestTag && /^[\x21-\x2b\x2d-\x7e]+$/.test(text);
}

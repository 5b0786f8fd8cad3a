/** Greater than every key: no UTF-8 text contains this byte. */
const afterEverything = Buffer.of(0xff);

/** The first key that does not start with `prefix` and comes after those that do. */
export function endOfPrefix(prefix: Buffer): Buffer {
  return prefix.length === 0 ? afterEverything : Buffer.concat([prefix, afterEverything]);
}

/** The first possible key after `key`. */
export function after(key: Buffer): Buffer {
  return Buffer.concat([key, Buffer.of(0)]);
}

export interface ListingRequest<T extends { key: string }> {
  prefix: string;
  delimiter: string | undefined;
  /** Most entries and common prefixes together; 0 lists nothing. */
  limit: number;
  /** Lists only what comes after this key, or after the group that this common prefix stands for. */
  after?: string | undefined;
  /** Instead of `after`: begins among the entries of one key, where a key has several. */
  resume?: { key: string; scan: (to: Buffer) => Iterable<T> } | undefined;
  /** Entries whose keys are in `[from, to)`, in order. */
  scan: (from: Buffer, to: Buffer) => Iterable<T>;
}

export interface Listing<T> {
  entries: T[];
  commonPrefixes: string[];
  truncated: boolean;
  /** The last thing listed, an entry or a common prefix: where the next page goes on. */
  last: { entry: T } | { commonPrefix: string } | undefined;
}

/**
 * One page of a listing: keys with the prefix, those that hold the delimiter behind it rolled up into
 * common prefixes. A group's members are skipped, not read.
 */
export function listPage<T extends { key: string }>(request: ListingRequest<T>): Listing<T> {
  const { delimiter, limit } = request;
  const prefix = Buffer.from(request.prefix);
  const end = endOfPrefix(prefix);
  const page: Listing<T> = { entries: [], commonPrefixes: [], truncated: false, last: undefined };
  if (limit === 0) return page;

  const { resume } = request;
  let source: Iterable<T> | undefined =
    resume && Buffer.compare(Buffer.from(resume.key), prefix) >= 0
      ? resume.scan(end)
      : request.scan(startOf(request, prefix), end);
  while (source) {
    let next: Iterable<T> | undefined;
    for (const entry of source) {
      if (page.entries.length + page.commonPrefixes.length === limit) {
        page.truncated = true;
        break;
      }
      const group = groupOf(entry.key, request.prefix, delimiter);
      if (group !== undefined) {
        page.commonPrefixes.push(group);
        page.last = { commonPrefix: group };
        next = request.scan(endOfPrefix(Buffer.from(group)), end);
        break;
      }
      page.entries.push(entry);
      page.last = { entry };
    }
    source = next;
  }
  return page;
}

function startOf(request: ListingRequest<{ key: string }>, prefix: Buffer): Buffer {
  if (request.after === undefined) return prefix;
  const marker = Buffer.from(request.after);
  // A page that ended with a common prefix goes on behind its whole group.
  const isGroup = groupOf(request.after, request.prefix, request.delimiter) === request.after;
  const start = isGroup ? endOfPrefix(marker) : after(marker);
  return Buffer.compare(start, prefix) > 0 ? start : prefix;
}

/** The common prefix a key is rolled up into: up to the first delimiter behind the prefix. */
function groupOf(key: string, prefix: string, delimiter: string | undefined): string | undefined {
  if (!delimiter || !key.startsWith(prefix)) return undefined;
  const position = key.indexOf(delimiter, prefix.length);
  return position < 0 ? undefined : key.slice(0, position + delimiter.length);
}

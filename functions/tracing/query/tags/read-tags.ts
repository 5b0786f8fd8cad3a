import type { SpanBlock } from '../../store/span-block.ts';
import type { TimeRange } from '../../store/span-blocks.ts';
import type { Filter, TagScope } from '../filter/filter.ts';
import { Matcher } from '../filter/matcher.ts';
import { parallelQueries, partitionsOf, type SearchSources } from '../search/search.ts';

/** Blocks that are read for a list of names or values: the latest ones. */
const maximumBlocks = 200;
/** The most names or values that one list has. */
export const maximumListed = 5_000;

interface TagSearch {
  readonly range: TimeRange;
  /** Looks at spans that fulfil it alone. */
  readonly filter: Filter;
}

/** Names of attributes that recent spans and their resources have, in order. */
export async function tagNames(search: TagSearch, sources: SearchSources) {
  const span = new Set<string>();
  const resource = new Set<string>();
  await eachBlock(search, sources, (block, indexes) => {
    const { texts, tags, resource: resourceOf, resources } = block.columns;
    for (const index of indexes) {
      addKeys(span, texts, tags[index]);
      addKeys(resource, texts, resources[resourceOf[index] ?? -1]);
    }
    return span.size + resource.size < maximumListed;
  });
  return { span: [...span].sort(), resource: [...resource].sort() };
}

/** Values that an attribute has on recent spans or their resources, in order. */
export async function tagValues(
  { key, scope, ...search }: TagSearch & { readonly key: string; readonly scope: TagScope },
  sources: SearchSources,
): Promise<string[]> {
  const values = new Set<string>();
  await eachBlock(search, sources, (block, indexes) => {
    const position = block.positionOf(key);
    if (position === undefined) return true;
    const { texts, tags, resource: resourceOf, resources } = block.columns;
    for (const index of indexes) {
      if (scope !== 'resource') addValues(values, texts, tags[index], position);
      if (scope !== 'span') addValues(values, texts, resources[resourceOf[index] ?? -1], position);
    }
    return values.size < maximumListed;
  });
  return [...values].slice(0, maximumListed).sort();
}

/** Looks at blocks until there are no more, or a bound is reached, or `take` has enough. */
async function eachBlock(
  { range, filter }: TagSearch,
  sources: SearchSources,
  take: (block: SpanBlock, indexes: readonly number[]) => boolean,
): Promise<void> {
  const matcher = new Matcher(filter);
  let left = maximumBlocks;
  for (const partitions of await partitionsOf({ filter, range }, sources)) {
    for (let from = 0; from < partitions.length; from += parallelQueries) {
      const some = partitions.slice(from, from + parallelQueries);
      // Of each partition as many as all have a turn with.
      const share = Math.max(1, Math.ceil(left / partitions.length));
      const read = some.map(async (partition) => {
        sources.budget.countQuery();
        let taken = 0;
        for await (const { block } of sources.blocks.blocks(partition, range)) {
          sources.budget.countBlock();
          taken += 1;
          left -= 1;
          if (!take(block, matcher.matches(block))) left = 0;
          if (left <= 0 || taken >= share || sources.budget.exhausted) return;
        }
      });
      await Promise.all(read);
      if (left <= 0 || sources.budget.exhausted) return;
    }
  }
}

function addKeys(keys: Set<string>, texts: readonly string[], pairs: readonly number[] = []): void {
  for (let at = 0; at < pairs.length; at += 2) keys.add(texts[pairs[at] ?? -1] ?? '');
}

function addValues(
  values: Set<string>,
  texts: readonly string[],
  pairs: readonly number[] = [],
  key: number,
): void {
  for (let at = 0; at + 1 < pairs.length; at += 2) {
    if (pairs[at] === key) values.add(texts[pairs[at + 1] ?? -1] ?? '');
  }
}

import type { RouteHandlers } from '../../../shared/http-handler.ts';
import { spanKinds } from '../../model.ts';
import type { Filter } from '../filter/filter.ts';
import { askedBy, rangeOf, requiredTrace, searchSources, type TracingSources } from '../sources.ts';
import { tagNames, tagValues } from '../tags/read-tags.ts';
import { fieldOf, intrinsicNames } from '../traceql/fields.ts';
import { parseTraceQl } from '../traceql/parse.ts';
import type { tempoRoutes } from './routes.ts';
import { searchTempo } from './tempo-search.ts';
import { traceAnswer, traceAnswerV2 } from './tempo-trace.ts';

/** The version of Tempo whose HTTP API is spoken: Grafana chooses its calls by it. */
const tempoVersion = '2.8.0';

/** Names that are looked for without a filter, or with one that is not whole yet: all of them. */
const everything: Filter = { all: [] };

/** The routes that Grafana’s data source for Tempo calls. */
export function tempoHandlers(sources: TracingSources): RouteHandlers<typeof tempoRoutes> {
  const { blocks, now } = sources;
  const secondsOf = ({ start, end }: { start?: number | undefined; end?: number | undefined }) =>
    rangeOf(
      {
        fromMs: start === undefined ? undefined : start * 1_000,
        toMs: end === undefined ? undefined : end * 1_000,
      },
      { now: now(), field: 'start' },
    );
  type Named = { start?: number | undefined; end?: number | undefined; q?: string | undefined };
  const namesOf = (query: Named, remainingMs: () => number) =>
    askedBy('q', () =>
      tagNames(
        { range: secondsOf(query), filter: lenient(query.q) },
        searchSources(sources, { remainingMs }),
      ),
    );
  const valuesOf = (tag: string, query: Named, remainingMs: () => number) =>
    askedBy('tag', async (): Promise<{ type: string; values: readonly string[] }> => {
      const field = fieldOf(scoped(decoded(tag)));
      const range = secondsOf(query);
      switch (field.of) {
        case 'service':
          return { type: 'string', values: await blocks.services(range) };
        case 'operation': {
          const services = (await blocks.services(range)).slice(0, namedServices);
          const lists = await Promise.all(services.map((service) => blocks.operations(service, range)));
          return {
            type: 'string',
            values: [...new Set(lists.flat().map(({ operation }) => operation))].sort(),
          };
        }
        case 'kind':
          return { type: 'keyword', values: spanKinds };
        case 'error':
          return { type: 'keyword', values: ['error'] };
        case 'tag': {
          const { scope, key } = field;
          const search = { range, filter: lenient(query.q), scope, key };
          return { type: 'string', values: await tagValues(search, searchSources(sources, { remainingMs })) };
        }
        case 'durationMs':
        case 'root':
        case 'spanId':
        case 'traceId':
          return { type: 'string', values: [] };
      }
    });

  return {
    tempoEcho: () => ({ status: 200, body: 'echo' }),
    tempoBuildInfo: () => ({ status: 200, body: { version: tempoVersion, goVersion: '' } }),
    tempoTrace: async ({ params: { traceId }, request: { headers } }) =>
      traceAnswer(await requiredTrace(sources, traceId), headers),
    tempoTraceV2: async ({ params: { traceId }, request: { headers } }) =>
      traceAnswerV2(await requiredTrace(sources, traceId), headers),
    tempoSearch: async ({ query, remainingMs }) => ({
      status: 200,
      body: await searchTempo(query, secondsOf(query), searchSources(sources, { remainingMs })),
    }),
    tempoTags: async ({ query, remainingMs }) => {
      const { span, resource } = await namesOf(query, remainingMs);
      return { status: 200, body: { tagNames: [...new Set([...resource, ...span])].sort(), metrics: {} } };
    },
    tempoTagsV2: async ({ query, remainingMs }) => {
      const { scope, limit } = query;
      const { span, resource } = await namesOf(query, remainingMs);
      const all = [
        { name: 'resource', tags: resource },
        { name: 'span', tags: span },
        { name: 'intrinsic', tags: intrinsicNames },
      ].map(({ name, tags }) => ({ name, tags: tags.slice(0, limit || tags.length) }));
      const known = all.some(({ name }) => name === scope);
      return {
        status: 200,
        body: { scopes: known ? all.filter(({ name }) => name === scope) : all, metrics: {} },
      };
    },
    tempoTagValues: async ({ params: { tag }, query, remainingMs }) => {
      const { values } = await valuesOf(tag, query, remainingMs);
      return { status: 200, body: { tagValues: values.slice(0, query.limit || values.length), metrics: {} } };
    },
    tempoTagValuesV2: async ({ params: { tag }, query, remainingMs }) => {
      const { type, values } = await valuesOf(tag, query, remainingMs);
      const shown = values.slice(0, query.limit || values.length).map((value) => ({ type, value }));
      return { status: 200, body: { tagValues: shown, metrics: {} } };
    },
  };
}

/** Services whose operations one list has. */
const namedServices = 100;

/** Grafana encodes names twice, so that a proxy in between may decode them once. */
function decoded(tag: string): string {
  try {
    return decodeURIComponent(tag);
  } catch {
    return tag;
  }
}

/** The first version of the interface names attributes without a scope. */
function scoped(tag: string): string {
  try {
    fieldOf(tag);
    return tag;
  } catch {
    return `.${tag}`;
  }
}

/** While somebody writes a query it is mostly none: Tempo then lists everything, and so does this. */
function lenient(query: string | undefined): Filter {
  if (query === undefined || query === '') return everything;
  try {
    return parseTraceQl(query);
  } catch (error) {
    if (error instanceof RangeError) return everything;
    throw error;
  }
}

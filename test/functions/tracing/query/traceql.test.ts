import { describe, expect, it } from '@jest/globals';
import { servicesOf } from '../../../../functions/tracing/query/filter/filter.ts';
import { Matcher } from '../../../../functions/tracing/query/filter/matcher.ts';
import { parseTraceQl } from '../../../../functions/tracing/query/traceql/parse.ts';
import { durationMs } from '../../../../functions/tracing/query/traceql/tokens.ts';
import { columnsOf, SpanBlock } from '../../../../functions/tracing/store/span-block.ts';
import { spansOf } from './spans.ts';

const spans = spansOf([
  {
    id: 'a',
    from: 0,
    to: 250,
    name: 'GET /',
    kind: 'server',
    host: 'h1',
    tags: { 'http.method': 'GET', 'http.status': '200' },
  },
  {
    id: 'b',
    parent: 'a',
    from: 10,
    to: 60,
    name: 'query',
    kind: 'client',
    error: true,
    tags: { 'db.name': 'shop "main"' },
  },
  {
    id: 'c',
    parent: 'a',
    from: 20,
    to: 30,
    name: 'POST /cart',
    host: 'h1',
    tags: { 'http.method': 'POST', 'http.status': '503' },
  },
]);
const block = new SpanBlock('api', columnsOf(spans));
const matching = (query: string) =>
  new Matcher(parseTraceQl(query))
    .matches(block)
    .map((index) => spans[index]?.span.spanId[0] ?? '')
    .join('');

describe('TraceQL', () => {
  it.each([
    ['{}', 'abc'],
    ['{ resource.service.name = "api" && duration > 100ms }', 'a'],
    ['{.service.name="other"}', ''],
    ['{ status = error && kind = client }', 'b'],
    ['{ status != error }', 'ac'],
    ['{ span.http.method = "GET" || span.http.method = `POST` }', 'ac'],
    ['{ span.http.method =~ "GET|PUT" }', 'a'],
    ['{ span.http.method !~ "G.*" }', 'c'],
    ['{ span.http.method != "GET" }', 'c'],
    ['{ span.http.method = nil }', 'b'],
    ['{ span.http.method != nil && name != "GET /" }', 'c'],
    ['{ span.http.status >= 500 }', 'c'],
    ['{ .http.status = 200 }', 'a'],
    ['{ resource.host.name = "h1" && (name = "GET /" || name =~ "POST.*") }', 'ac'],
    ['{ span.host.name = "h1" }', ''],
    ['{ span."db.name" = "shop \\"main\\"" }', 'b'],
    ['{ nestedSetParent < 0 }', 'a'],
    ['{ span:duration <= 0.05s && trace:id = "0af7651916cd43dd8448eb211c80319c" }', 'bc'],
    ['{ true && name="query" || false }', 'b'],
  ])('%s finds the spans %j', (query, found) => {
    expect(matching(query)).toBe(found);
  });

  it.each([
    ['', /at the end: \{ is expected/],
    ['{ name = "a"', /at the end: \} is expected/],
    ['{ name "a" }', /one of = .* expected after name/],
    ['{ name = }', /at 10: a value is expected/],
    ['{ name = "a } ', /at 10: .* is not understood/],
    ['{ .a = "b" } | count() > 2', /only one set of spans/],
    ['{ .a = "b" } >> { .c = "d" }', /only one set of spans/],
    ['{ event.name = "x" }', /event\.name is not served here/],
    ['{ traceDuration > 1s }', /traceDuration is not served/],
    ['{ status = ok }', /status is compared with error alone/],
    ['{ kind = 3 }', /kind is compared with/],
    ['{ name = get }', /get is no value for name/],
    ['{ duration = "1s" }', /= compares numbers/],
    ['{ name =~ "(" }', /the pattern is none/],
    ['{ name > "a" }', /> compares numbers/],
    [`{ ${'('.repeat(40)} name = "a" }`, /brackets lie at most/],
    [`{ name = "${'a'.repeat(5_000)}" }`, /at most 4096 characters/],
  ])('%s is refused, saying why', (query, message) => {
    expect(() => parseTraceQl(query)).toThrow(message);
  });

  it.each([
    ['{ resource.service.name = "a" && name = "x" }', ['a']],
    ['{ resource.service.name = "a" && resource.service.name = "b" }', []],
    ['{ resource.service.name = "a" || .service.name = "b" }', ['a', 'b']],
    ['{ resource.service.name = "a" || name = "x" }', undefined],
    ['{ resource.service.name =~ "a|b" }', undefined],
  ])('%s is about the services %j', (query, services) => {
    expect(servicesOf(parseTraceQl(query))).toEqual(services);
  });

  it('matches patterns in linear time, whatever they are', () => {
    const slow = spansOf([{ id: 'a', from: 0, to: 1, name: 'a'.repeat(50_000) }]);
    const whole = new SpanBlock('api', columnsOf(slow));
    expect(new Matcher(parseTraceQl('{ name =~ "(a|aa)+b" }')).matches(whole)).toEqual([]);
  });

  it.each([
    ['1h30m', 5_400_000],
    ['1.5s', 1_500],
    ['250us', 0.25],
    ['-2ms', -2],
    ['5', undefined],
    ['5x', undefined],
  ])('%s is %s milliseconds', (written, expected) => {
    expect(durationMs(written)).toBe(expected);
  });
});

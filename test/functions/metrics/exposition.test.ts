import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ownFamilies } from '../../../functions/metrics/exposition/families.ts';
import type { Family } from '../../../functions/metrics/exposition/family.ts';
import { negotiate } from '../../../functions/metrics/exposition/negotiate.ts';
import { exposition } from '../../../functions/metrics/exposition/text.ts';
import { Tally } from '../../../functions/metrics/tally/tally.ts';

const tally = new Tally();
for (const [durationMs, status] of [
  [4, 200],
  [60, 200],
  [900, 500],
] as const) {
  const traceId = String(status).padStart(32, '0');
  tally.add({
    ...{ at: 1_000_000, service: 'cdn', fn: 'api', durationMs, coldStart: durationMs === 4, traceId },
    ...{ memoryBytes: 1e8, memoryLimitBytes: 5e8, request: { route: 'GET /x', status } },
    ...(status === 500 && { error: { type: 'Error', message: 'no' } }),
  });
}

describe('metrics as text', () => {
  it('are Prometheus’ format 0.0.4 by default', () => {
    const text = exposition(ownFamilies(tally), 'prometheus');
    expect(text).toContain(
      [
        '# HELP mainstay_http_requests_total Requests of the API, by route and class of status.',
        '# TYPE mainstay_http_requests_total counter',
        'mainstay_http_requests_total{service="cdn",route="GET /x",code="2xx"} 2',
        'mainstay_http_requests_total{service="cdn",route="GET /x",code="5xx"} 1',
      ].join('\n'),
    );
    expect(text).toContain(
      'mainstay_http_request_duration_seconds_bucket{service="cdn",route="GET /x",le="0.005"} 1\n',
    );
    expect(text).toContain('_bucket{service="cdn",route="GET /x",le="1"} 3\n');
    expect(text).toContain('_bucket{service="cdn",route="GET /x",le="+Inf"} 3\n');
    expect(text).not.toContain('# UNIT');
    expect(text).not.toContain('trace_id');
  });

  it('are OpenMetrics 1.0 where asked: families, units, an exemplar in its bucket, an end', () => {
    const text = exposition(ownFamilies(tally), 'openmetrics');
    expect(text).toContain('# TYPE mainstay_http_requests counter\n');
    expect(text).toContain('# UNIT mainstay_http_request_duration_seconds seconds\n');
    expect(text).toContain(`le="1.0"} 3 # {trace_id="${'500'.padStart(32, '0')}"} 0.9 1000.000\n`);
    expect(text.match(/trace_id/g)).toHaveLength(1);
    expect(text.endsWith('\n# EOF\n')).toBe(true);
  });

  it('are summaries where quantiles are asked for', () => {
    const text = exposition(ownFamilies(tally, [0.5, 1]), 'prometheus');
    expect(text).toContain('# TYPE mainstay_http_request_duration_seconds summary\n');
    const median = /duration_seconds\{service="cdn",route="GET \/x",quantile="0.5"\} (\S+)/.exec(text)?.[1];
    expect(Math.abs(Number(median) / 0.06 - 1)).toBeLessThan(0.01);
  });

  it('keep every label whole, whatever is in it: one line each, which reads back', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.double(),
        fc.constantFrom('prometheus', 'openmetrics'),
        (text, value, format) => {
          const family: Family = {
            name: 'x',
            help: text,
            type: 'gauge',
            samples: [{ labels: { text }, value }],
          };
          const [help = '', , sample = '', ...rest] = exposition([family], format).split('\n');
          expect(rest).toEqual(format === 'openmetrics' ? ['# EOF', ''] : ['']);
          expect(help.startsWith('# HELP x ')).toBe(true);
          const [, label = '', number = ''] =
            /^x\{text="((?:[^"\\\n]|\\["\\n])*)"\} (\S+)$/.exec(sample) ?? [];
          const read = label.replaceAll(/\\(.)/g, (_, escaped) => (escaped === 'n' ? '\n' : escaped));
          expect(read).toBe(text.toWellFormed());
          expect(Number(number.replace('Inf', 'Infinity'))).toBe(Object.is(value, -0) ? 0 : value);
        },
      ),
    );
  });
});

describe('the format', () => {
  it.each([
    [undefined, 'prometheus'],
    ['*/*', 'prometheus'],
    ['text/html, */*;q=0.1', 'prometheus'],
    ['application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5', 'openmetrics'],
    // As Prometheus 2 and 3 ask.
    [
      'application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
      'openmetrics',
    ],
    [
      'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.5,*/*;q=0.2',
      'openmetrics',
    ],
    ['application/openmetrics-text;version=2.0.0', 'prometheus'],
    ['application/openmetrics-text;q=0', 'prometheus'],
    ['application/openmetrics-text;q=0.2, text/plain', 'prometheus'],
  ] as const)('for %s is %s', (accept, format) => {
    expect(negotiate(accept)).toBe(format);
  });
});

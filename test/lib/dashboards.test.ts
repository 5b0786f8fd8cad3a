import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { exposition } from '../../functions/metrics/exposition/text.ts';
import { dashboards, renderDashboard } from '../../lib/grafana/dashboards.ts';
import { exampleMetrics } from '../support/example-metrics.ts';

const directory = join(import.meta.dirname, '../../docs/operations/grafana');

/** The labels that series of a metric have, by the metric’s name, with the values seen of each. */
const scraped = new Map<string, Map<string, Set<string>>>();
for (const line of exposition(exampleMetrics(), 'prometheus').split('\n')) {
  const [, name, labels = ''] = /^([a-z_]+)(?:\{(.*)\})? \S+$/.exec(line) ?? [];
  if (name === undefined) continue;
  const known = scraped.get(name) ?? new Map<string, Set<string>>();
  for (const [, label = '', value = ''] of labels.matchAll(/(\w+)="([^"]*)"/g)) {
    known.set(label, (known.get(label) ?? new Set()).add(value));
  }
  scraped.set(name, known);
}

const words = new Set(['or', 'by', 'ignoring', 'without', 'le']);
const grouping = /\b(?:by|without|ignoring) ?\(([^)]*)\)/g;
const listed = (text: string) => text.split(',').map((each) => each.trim());

/** What a query is wrong about, of the metrics, labels and values that there are. */
function wrongOf(expr: string, legend: string): string[] {
  const made = [...expr.matchAll(/label_replace\(.*?, "(\w+)", "\$1", "\w+", "[^"]*"\)/g)].map(
    ([, label = '']) => label,
  );
  const plain = expr
    .replaceAll(grouping, ' ')
    .replaceAll(/, "[^"]*"/g, ' ')
    .replaceAll(/\[[^\]]*\]/g, '')
    .replaceAll(/\$\w+(?=[ ])/g, '');
  const metrics = [...plain.matchAll(/\b([a-z_]+)\b(\{[^}]*\})?(?! ?\()/g)].filter(
    ([, name = '']) => !words.has(name) && (name.includes('_') || scraped.has(name)),
  );
  if (metrics.length === 0) return [`${expr} asks for no metric`];
  const labels = new Set(made);
  const wrong: string[] = [];
  for (const [, name = '', matchers = ''] of metrics) {
    const known = scraped.get(name);
    if (known === undefined) wrong.push(`${expr}: there is no ${name}`);
    for (const label of known?.keys() ?? []) labels.add(label);
    for (const [, label = '', operator, value = ''] of matchers.matchAll(/(\w+)(=~?)"([^"]*)"/g)) {
      const values = known?.get(label);
      if (values === undefined || (operator === '=' && !values.has(value)))
        wrong.push(`${expr}: ${name} has no ${label}="${value}"`);
    }
  }
  const named = [...expr.matchAll(grouping)].flatMap(([, list = '']) => listed(list));
  const shown = [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
  for (const label of [...named, ...shown]) if (!labels.has(label)) wrong.push(`${expr}: no label ${label}`);
  return wrong;
}

describe.each(Object.entries(dashboards))('The dashboard %s', (name, dashboard) => {
  const queries = dashboard.sections.flatMap(({ panels }) => panels.flatMap((panel) => panel.queries));

  it('is written as the code says', () => {
    // When it differs: node lib/grafana/write-dashboards.ts
    expect(readFileSync(join(directory, name), 'utf8')).toBe(renderDashboard(dashboard));
  });

  it('asks for metrics, labels and values that there are', () => {
    expect(queries.length).toBeGreaterThan(10);
    expect(queries.flatMap(({ expr, legend }) => wrongOf(expr, legend))).toEqual([]);
  });
});

describe('A query', () => {
  it.each([
    ['rate(mainstay_no_such_total[5m])', 'x', 'there is no mainstay_no_such_total'],
    ['mainstay_http_requests_total{code="9xx"}', 'x', 'has no code="9xx"'],
    ['sum by (colour) (mainstay_http_requests_total)', 'x', 'no label colour'],
    ['mainstay_dead_letters', '{{shard}}', 'no label shard'],
    ['vector(1)', '', 'asks for no metric'],
  ])('is found out: %s', (expr, legend, expected) => {
    expect(wrongOf(expr, legend).join()).toContain(expected);
  });
});

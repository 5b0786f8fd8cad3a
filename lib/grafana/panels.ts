/** One query of a panel, in PromQL. */
export interface Query {
  readonly expr: string;
  /** What its series are called; labels in braces: `{{route}}`. */
  readonly legend: string;
}

/** Units as Grafana names them. */
export type Unit = 'reqps' | 'percentunit' | 's' | 'bytes' | 'Bps' | 'short' | 'ops' | 'currencyUSD';

/** What a panel shows; where it stands follows from its place in the list. */
export interface Panel {
  readonly title: string;
  readonly description?: string;
  readonly unit: Unit;
  readonly kind?: 'timeseries' | 'stat' | 'bargauge';
  readonly queries: readonly Query[];
}

/** Panels that belong together, under a heading. */
export interface Section {
  readonly title: string;
  readonly panels: readonly Panel[];
}

/** Something that whoever looks at a dashboard chooses. */
export type Variable =
  | { readonly kind: 'query'; readonly name: string; readonly label: string; readonly query: string }
  | { readonly kind: 'text'; readonly name: string; readonly label: string; readonly value: string };

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly variables: readonly Variable[];
  readonly sections: readonly Section[];
}

/** Panels of a row; Grafana’s grid is 24 wide. */
const perRow = 3;
const size = { w: 24 / perRow, h: 8 };

/** A dashboard as Grafana imports it. The Prometheus that it asks is a variable of it. */
export function grafanaJson({ uid, title, description, variables, sections }: Dashboard): unknown {
  let id = 0;
  let y = 0;
  const panels = sections.flatMap((section) => {
    const heading = {
      ...{ id: ++id, type: 'row', title: section.title, collapsed: false, panels: [] },
      gridPos: { x: 0, y, w: 24, h: 1 },
    };
    y += 1;
    const those = section.panels.map((panel, index) => ({
      ...panelJson(panel, ++id),
      gridPos: { x: (index % perRow) * size.w, y: y + Math.floor(index / perRow) * size.h, ...size },
    }));
    y += Math.ceil(section.panels.length / perRow) * size.h;
    return [heading, ...those];
  });
  return {
    ...{ uid, title, description, tags: ['mainstay'], schemaVersion: 39, editable: true },
    ...{ timezone: 'utc', refresh: '1m', time: { from: 'now-24h', to: 'now' }, graphTooltip: 1 },
    templating: { list: [datasource, ...variables.map(variableJson)] },
    panels,
  };
}

const source = { type: 'prometheus', uid: '${datasource}' };
const datasource = { name: 'datasource', label: 'Prometheus', type: 'datasource', query: 'prometheus' };

function panelJson({ title, description, unit, kind = 'timeseries', queries }: Panel, id: number) {
  return {
    ...{ id, type: kind, title, datasource: source },
    ...(description !== undefined && { description }),
    fieldConfig: { defaults: { unit, ...(kind === 'timeseries' && { min: 0 }) }, overrides: [] },
    targets: queries.map(({ expr, legend }, index) => ({
      ...{ refId: String.fromCharCode(65 + index), datasource: source, expr, legendFormat: legend },
      ...(kind !== 'timeseries' && { instant: true }),
    })),
  };
}

function variableJson(variable: Variable) {
  const { name, label } = variable;
  switch (variable.kind) {
    case 'query':
      return {
        ...{ name, label, type: 'query', datasource: source, query: { query: variable.query, refId: name } },
        ...{ includeAll: true, allValue: '.*', multi: true, refresh: 2, sort: 1 },
        current: { text: ['All'], value: ['$__all'] },
      };
    case 'text':
      return { name, label, type: 'textbox', query: variable.value };
  }
}

/** Series of a metric per second. */
export const rate = (metric: string): string => `rate(${metric}[$__rate_interval])`;

/** The same of metrics that come every few minutes: of CloudWatch, and of the logs of the edge. */
export const slowRate = (metric: string): string => `rate(${metric}[1h])`;

/** How often something happened in an hour. */
export const hourly = (metric: string): string => `increase(${metric}[1h])`;

/** A share, also while there is nothing of it. */
export const share = (part: string, of: string): string => `(sum(${part}) or vector(0)) / sum(${of})`;

/** Percentiles of a histogram, over all of its series or by a label. */
export function percentiles(histogram: string, matchers = '', by?: string): Query[] {
  const buckets = `${histogram}_bucket${matchers}`;
  const labels = by === undefined ? 'le' : `le, ${by}`;
  return [0.5, 0.95, 0.99].map((quantile) => ({
    expr: `histogram_quantile(${quantile}, sum by (${labels}) (${rate(buckets)}))`,
    legend: `P${quantile * 100}${by === undefined ? '' : ` {{${by}}}`}`,
  }));
}

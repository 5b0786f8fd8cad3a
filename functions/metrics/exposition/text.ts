import type { Family, HistogramSample, Labels, SampleExemplar } from './family.ts';

/** Prometheus' text format 0.0.4, or OpenMetrics 1.0. */
export type Format = 'prometheus' | 'openmetrics';

export const contentTypes = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
} as const satisfies Record<Format, string>;

/**
 * Metrics as text that Prometheus scrapes: its text format 0.0.4, or OpenMetrics 1.0, which has units, exemplars and an end.
 * Families are written in the order given, each once.
 */
export function exposition(families: readonly Family[], format: Format): string {
  const lines: string[] = [];
  for (const family of families) {
    if (family.samples.length > 0) writeFamily(lines, family, format);
  }
  if (format === 'openmetrics') lines.push('# EOF');
  return `${lines.join('\n')}\n`;
}

function writeFamily(lines: string[], family: Family, format: Format): void {
  const open = format === 'openmetrics';
  const { name, help, unit, type } = family;
  const sampleName = type === 'counter' ? `${name}_total` : type === 'info' ? `${name}_info` : name;
  // Only OpenMetrics describes the family rather than its samples, and knows `info`.
  const described = open ? name : sampleName;
  lines.push(`# HELP ${described} ${escapeHelp(help, open)}`);
  lines.push(`# TYPE ${described} ${type === 'info' && !open ? 'gauge' : type}`);
  if (open && unit !== undefined) lines.push(`# UNIT ${described} ${unit}`);
  switch (type) {
    case 'counter':
    case 'gauge':
    case 'info':
      for (const { labels, value } of family.samples) lines.push(line(sampleName, labels, value));
      return;
    case 'histogram':
      for (const sample of family.samples) writeHistogram(lines, name, sample, open);
      return;
    case 'summary':
      for (const { labels, quantiles, sum, count } of family.samples) {
        for (const { quantile, value } of quantiles) {
          lines.push(line(name, { ...labels, quantile: bound(quantile, open) }, value));
        }
        lines.push(line(`${name}_sum`, labels, sum), line(`${name}_count`, labels, count));
      }
      return;
    default:
      family satisfies never;
  }
}

function writeHistogram(lines: string[], name: string, sample: HistogramSample, open: boolean): void {
  const { labels, sum, count, exemplar } = sample;
  const buckets = [...sample.buckets, { upTo: Number.POSITIVE_INFINITY, count }];
  const holder = exemplar && buckets.find(({ upTo }) => exemplar.value <= upTo);
  for (const bucket of buckets) {
    const text = line(`${name}_bucket`, { ...labels, le: bound(bucket.upTo, open) }, bucket.count);
    lines.push(
      open && exemplar !== undefined && bucket === holder ? `${text} ${exemplarOf(exemplar)}` : text,
    );
  }
  lines.push(line(`${name}_sum`, labels, sum), line(`${name}_count`, labels, count));
}

const exemplarOf = ({ traceId, value, at }: SampleExemplar): string =>
  `# {trace_id="${escapeLabel(traceId)}"} ${number(value)} ${(at / 1000).toFixed(3)}`;

function line(name: string, labels: Labels, value: number): string {
  const written = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
  return `${name}${written.length === 0 ? '' : `{${written.join(',')}}`} ${number(value)}`;
}

function number(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (Number.isFinite(value)) return String(value);
  return value > 0 ? '+Inf' : '-Inf';
}

/** OpenMetrics writes bounds and quantiles as floating point numbers: `1.0`. */
function bound(value: number, open: boolean): string {
  return open && Number.isInteger(value) ? value.toFixed(1) : number(value);
}

const escapeLabel = (text: string): string =>
  text.toWellFormed().replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');

function escapeHelp(text: string, open: boolean): string {
  const escaped = text.toWellFormed().replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  return open ? escaped.replaceAll('"', '\\"') : escaped;
}

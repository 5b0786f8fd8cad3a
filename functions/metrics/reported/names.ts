import type { AnyValue, KeyValue } from '../../tracing/model.ts';
import type { Labels } from '../exposition/family.ts';

/** UCUM's units in the words that Prometheus' names have, as OpenTelemetry maps them. */
const words = new Map<string, string>([
  ...pairs('d days h hours min minutes s seconds ms milliseconds us microseconds ns nanoseconds'),
  ...pairs('By bytes KiBy kibibytes MiBy mebibytes GiBy gibibytes TiBy tibibytes'),
  ...pairs('KBy kilobytes MBy megabytes GBy gigabytes TBy terabytes'),
  ...pairs('m meters V volts A amperes J joules W watts g grams Cel celsius Hz hertz % percent'),
]);
const perWords = new Map(pairs('s second m minute min minute h hour d day w week mo month y year'));

function pairs(text: string): [string, string][] {
  const all = text.split(' ');
  return all.flatMap((unit, index) => (index % 2 === 0 ? [[unit, all[index + 1] ?? '']] : []));
}

export type ReportedKind = 'counter' | 'gauge' | 'updown' | 'histogram';

/**
 * The name that Prometheus has for a metric of OpenTelemetry, by the rules of its specification (“Prometheus and OpenMetrics
 * compatibility”): other characters become `_`, the unit is its end. Without the `_total` of counters.
 *
 * @returns '' for a name of which nothing is left.
 */
export function metricName(name: string, unit: string, kind: ReportedKind): string {
  const plain = name
    .replaceAll(/[^a-zA-Z0-9:]+/g, '_')
    .replaceAll(/_+/g, '_')
    .replace(/^_|_$/g, '');
  const base = kind === 'counter' ? plain.replace(/_total$/, '') : plain;
  if (base === '') return '';
  const started = /^\d/.test(base) ? `_${base}` : base;
  const suffix = unitSuffix(unit, kind);
  return suffix === '' || started.endsWith(suffix) ? started : `${started}_${suffix}`;
}

function unitSuffix(unit: string, kind: ReportedKind): string {
  const stated = unit.replaceAll(/\{[^}]*\}/g, '').trim();
  if (stated === '1') return kind === 'gauge' ? 'ratio' : '';
  const [of = '', per] = stated.split('/', 2).map((part) => part.trim());
  const parts = [words.get(of) ?? of, ...(per ? [`per_${perWords.get(per) ?? per}`] : [])];
  return parts
    .join('_')
    .replaceAll(/[^a-zA-Z0-9]+/g, '_')
    .replace(/^_|_$/g, '');
}

/** Labels that Mainstay or Prometheus sets itself: an attribute of that name is put beside, as Prometheus does. */
const taken = new Set(['service', 'le', 'quantile']);

/** Attributes as labels of Prometheus, in the order of their names. Attributes of one name after another are joined by `;`. */
export function labelsOf(attributes: readonly KeyValue[]): Labels {
  const labels = new Map<string, string>();
  const sorted = [...attributes].sort((one, two) => (one.key < two.key ? -1 : one.key > two.key ? 1 : 0));
  for (const { key, value } of sorted) {
    const name = labelName(key);
    const text = textOf(value);
    const before = labels.get(name);
    labels.set(name, before === undefined ? text : `${before};${text}`);
  }
  return Object.fromEntries([...labels].sort(([one], [two]) => (one < two ? -1 : 1)));
}

function labelName(key: string): string {
  const plain = key.replaceAll(/[^a-zA-Z0-9]+/g, '_').replace(/^_+/, '_');
  const name = /^(\d|_?$)/.test(plain) ? `key_${plain}` : plain;
  return taken.has(name) ? `exported_${name}` : name;
}

/** A value as text: lists and maps as JSON. */
export function textOf(value: AnyValue): string {
  const { stringValue, intValue, boolValue, doubleValue, bytesValue, arrayValue, kvlistValue } = value;
  const simple = stringValue ?? intValue ?? boolValue ?? doubleValue ?? bytesValue;
  if (simple !== undefined) return String(simple);
  if (arrayValue !== undefined) return JSON.stringify(arrayValue.values);
  return kvlistValue === undefined ? '' : JSON.stringify(kvlistValue.values);
}

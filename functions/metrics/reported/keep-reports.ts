import { setTimeout as sleep } from 'node:timers/promises';
import { KeptAnswer } from '../../shared/kept-answer.ts';
import { Problem } from '../../shared/problem.ts';
import type { Report } from './intake.ts';
import { reportedLimits as limits } from './limits.ts';
import type { ReportedKind } from './names.ts';
import type { Rejection } from './rejections.ts';
import { packSeries, type ReportedHead, type ReportedStore } from './reported-store.ts';
import { applyPoint } from './series.ts';

/** How often a metric is written that others write at the same time. */
const attempts = 12;
/** How many metrics are written at a time. */
const atATime = 8;
/** How long it is remembered which metrics there are, in ms. */
const headsMs = 60_000;

/** Keeps reports: each metric by a write over the version that was read. What is reported again changes nothing. */
export class ReportKeeper {
  readonly #store: ReportedStore;
  readonly #now: () => number;
  #heads: KeptAnswer<ReportedHead[]>;

  constructor(store: ReportedStore, now: () => number) {
    this.#store = store;
    this.#now = now;
    this.#heads = this.#newHeads();
  }

  #newHeads(): KeptAnswer<ReportedHead[]> {
    return new KeptAnswer(() => this.#store.heads(), headsMs, this.#now);
  }

  /**
   * Keeps reports; they are kept when this returns, but the points that it says it has rejected.
   *
   * @throws DependencyError when not all of them were: all of them may come again.
   * @throws Problem 503 when too many write the same metric at the same time.
   */
  async keep(reports: readonly Report[], reject: (why: Rejection, points: number) => void): Promise<void> {
    const heads = reports.length === 0 ? [] : [...(await this.#headsFor(reports))];
    const taken = reports.filter((report) => {
      const why = refusal(report, heads);
      if (why !== undefined) reject(why, report.points.length);
      else if (!heads.some((head) => isOf(head, report))) heads.push(headOf(report));
      return why === undefined;
    });
    for (let at = 0; at < taken.length; at += atATime) {
      await Promise.all(
        taken.slice(at, at + atATime).map(async (report) => {
          const { kind, full } = await this.#write(report);
          if (kind > 0) reject('kind', kind);
          if (full > 0) reject('full', full);
        }),
      );
    }
  }

  /** The metrics there are: read anew before there is one more. */
  async #headsFor(reports: readonly Report[]): Promise<ReportedHead[]> {
    const heads = await this.#heads.get();
    const isNew = (report: Report) =>
      refusal(report, heads) === undefined && !heads.some((head) => isOf(head, report));
    if (reports.some(isNew)) this.#heads = this.#newHeads();
    return this.#heads.get();
  }

  /** @returns how many of the points have no place. */
  async #write(report: Report): Promise<{ kind: number; full: number }> {
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      const stored = await this.#store.get(headOf(report));
      if (stored !== undefined && stored.metric.kind !== report.kind) {
        return { kind: report.points.length, full: 0 };
      }
      const before = stored?.metric.series ?? {};
      let next = this.#apply(before, report, limits);
      // Where there is no room, what is known already still counts.
      if (next.packed.length > limits.bytes) next = this.#apply(before, report, { series: 0, runs: 0 });
      const { series, packed, full, changed } = next;
      const metric = { ...headOf(report), series };
      if (!changed || (await this.#store.put(metric, packed, stored?.version ?? 0))) return { kind: 0, full };
      await sleep(Math.random() * 25 * attempt);
    }
    throw new Problem('not-available', 'Too many report the same metric at the same time. Send it again.', {
      headers: { 'retry-after': '5' },
    });
  }

  #apply(before: ReportedMetricSeries, { points, kind }: Report, room: { series: number; runs: number }) {
    const series = structuredClone(before);
    const context = { kind, now: this.#now(), series: room.series, runs: room.runs };
    let [full, changed] = [0, false];
    for (const point of points) {
      const effect = applyPoint(series, point, context);
      if (effect === 'full') full += 1;
      if (effect === 'changed') changed = true;
    }
    return { series, full, changed, packed: packSeries(series) };
  }
}

type ReportedMetricSeries = Parameters<typeof applyPoint>[0];

const headOf = ({ name, service, kind, help, unit }: Report): ReportedHead => ({
  ...{ metric: name, service, kind, help, unit },
});

const isOf = (head: ReportedHead, { name, service }: Report) =>
  head.metric === name && head.service === service;

/** Why a metric has no place among those there are. */
function refusal(report: Report, heads: readonly ReportedHead[]): Rejection | undefined {
  if (heads.some((head) => isOf(head, report) && head.kind === report.kind)) return undefined;
  const same = (head: ReportedHead) => head.metric === report.name && head.kind === report.kind;
  const names = sampleNames(report.name, report.kind);
  const others = heads.filter((head) => !same(head)).flatMap(({ metric, kind }) => sampleNames(metric, kind));
  if (others.some((name) => names.includes(name))) return 'kind';
  const own = heads.filter(({ service }) => service === report.service).length;
  return own >= limits.metricsOfService || heads.length >= limits.metrics ? 'metrics' : undefined;
}

/** What a metric takes of the names that Prometheus reads. */
function sampleNames(name: string, kind: ReportedKind): string[] {
  switch (kind) {
    case 'gauge':
    case 'updown':
      return [name];
    case 'counter':
      return [name, `${name}_total`];
    case 'histogram':
      return [name, `${name}_bucket`, `${name}_sum`, `${name}_count`];
  }
}

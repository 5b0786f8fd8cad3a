import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import { settings } from '../../lib/costs/page.ts';
import type { Alarm } from '../../local/cloudwatch/alarm-definition.ts';
import { CloudWatch } from '../../local/cloudwatch/cloudwatch.ts';
import { identityOf } from '../../local/cloudwatch/metric-query.ts';
import type { ServiceEvent } from '../../local/events/event.ts';
import { VirtualClock } from '../local/scheduler/virtual-clock.ts';
import { root, type Synthesized, synthesize, synthesizeUnchecked } from './support.ts';

/** Values of an alarm's metrics in one period, by their ids. */
type Figures = Readonly<Record<string, number>>;

/**
 * What raises the alarms that compute something, what ends them, and what must raise nothing: too little to mean anything.
 * Alarms on one metric are raised by what their threshold says.
 */
const computed: Readonly<Record<string, { raised: Figures; ended: Figures; tooFew?: Figures }>> = {
  'edge-hit-rate': {
    raised: { hits: 400, misses: 600 },
    ended: { hits: 900, misses: 100 },
    tooFew: { hits: 0, misses: 10 },
  },
  'edge-server-errors': {
    raised: { requests: 1_000, errors: 51 },
    ended: { requests: 1_000, errors: 50 },
    tooFew: { requests: 1, errors: 1 },
  },
  'error-rate': {
    raised: { requests: 100, errors: 6 },
    ended: { requests: 100, errors: 5 },
    tooFew: { requests: 1, errors: 1 },
  },
  'slow-answers': {
    raised: { requests: 100, latency: 2_001 },
    ended: { requests: 100, latency: 2_000 },
    tooFew: { requests: 1, latency: 20_000 },
  },
  'budget-burn': {
    raised: { requests: 1_000, errors: 20 },
    ended: { requests: 1_000, errors: 1 },
    tooFew: { requests: 1, errors: 1 },
  },
  'shards-uneven': {
    raised: { rows: 10_000, variance: 0.3 },
    ended: { rows: 10_000, variance: 0.1 },
    tooFew: { rows: 10, variance: 2 },
  },
  'stuck-transactions': { raised: { long: 0, blocked: 1 }, ended: { long: 0, blocked: 0 } },
  'replica-lag': {
    raised: { bytes: 64 * 1024 * 1024, unreachable: 0 },
    ended: { bytes: 1_000, unreachable: 0 },
  },
};

const place = { region: 'eu-central-1', accountId: '000000000000' } as const;
const arns = {
  topic: `arn:aws:sns:${place.region}:${place.accountId}:alarms`,
  fn: `arn:aws:lambda:${place.region}:${place.accountId}:function:failover`,
};

/** A value of a template as text, when it is deployed: a part of which nothing is known here stands for itself. */
const deployed = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(deployed);
  if (typeof value !== 'object' || value === null) return value;
  const [[name = '', inner] = []] = Object.entries(value);
  if (name === 'Fn::Join') {
    const [separator, parts] = z.tuple([z.string(), z.array(z.unknown())]).parse(inner);
    return parts.map(deployed).join(separator);
  }
  if (name === 'Ref' || name.startsWith('Fn::')) {
    const text = JSON.stringify(inner);
    return text.includes('Topic') ? arns.topic : text.includes('Failover') ? arns.fn : text;
  }
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, deployed(member)]));
};

const propertiesSchema = z.looseObject({ AlarmName: z.string(), AlarmRule: z.unknown().optional() });
type Properties = z.output<typeof propertiesSchema>;

const alarmsOf = (stacks: Iterable<Synthesized>) =>
  [...stacks].flatMap(({ resources }) => {
    const nameOf = (id: string) => String(resources[id]?.Properties.AlarmName);
    return Object.values(resources)
      .filter(({ Type }) => /^AWS::CloudWatch::(Composite)?Alarm$/.test(Type))
      .map(({ Properties }) => propertiesSchema.parse(deployed(Properties)))
      .map(
        (properties): Properties =>
          properties.AlarmRule === undefined
            ? properties
            : {
                ...properties,
                AlarmRule: String(properties.AlarmRule).replaceAll(/\["(\w+)","Arn"\]/g, (_, id) =>
                  nameOf(id),
                ),
              },
      );
  });

/** An environment with everything: a second region, an edge, and several shards. */
const all = [
  ...alarmsOf(synthesizeUnchecked('production', settings.production).stacks.values()),
  ...alarmsOf(synthesize('local').stacks.values()),
].map((properties) => ({
  properties,
  name: properties.AlarmName.replace(/^mainstay-(production|local)-/, ''),
}));
const alarms = [...new Map(all.map((alarm) => [alarm.name, alarm])).values()];
const composite = alarms.filter(({ properties }) => properties.AlarmRule !== undefined);
const simple = alarms.filter(({ properties }) => properties.AlarmRule === undefined);

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'alarms-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Alarms on a CloudWatch of their own, with what they tell, and a clock that a test moves. */
async function watched(parts: readonly Properties[]) {
  const clock = new VirtualClock();
  const told: { target: string; alarm: string; state: string; text: string }[] = [];
  const events: ServiceEvent[] = [];
  const messageSchema = z.looseObject({
    AlarmName: z.string().optional(),
    NewStateValue: z.string().optional(),
    AlarmDescription: z.string().optional(),
    alarmData: z
      .looseObject({ alarmName: z.string(), state: z.looseObject({ value: z.string() }) })
      .optional(),
  });
  const cloudWatch = new CloudWatch({
    ...{ ...place, clock, directory: mkdtempSync(join(directory, 'one-')) },
    // By hand: months pass here.
    evaluateEverySeconds: 10 * 365 * 86_400,
    deliver: async (target, payload) => {
      const { alarmData, ...message } = messageSchema.parse(
        typeof payload === 'string' ? JSON.parse(payload) : payload,
      );
      const alarm = message.AlarmName ?? alarmData?.alarmName ?? '';
      const state = message.NewStateValue ?? alarmData?.state.value ?? '';
      told.push({ target, alarm, state, text: message.AlarmDescription ?? '' });
    },
    putEvent: (event) => events.push(event),
  });
  await cloudWatch.start();
  for (const part of parts) {
    if (part.AlarmRule === undefined) cloudWatch.alarms.ensureAlarm(part);
    else cloudWatch.alarms.ensureComposite(part);
  }
  const definitions = cloudWatch.alarms
    .list()
    .map(({ alarm }) => alarm)
    .filter((alarm): alarm is Alarm => alarm.kind === 'metric');
  const longest = Math.max(
    ...definitions.map(({ periodSeconds, evaluationPeriods }) => periodSeconds * (evaluationPeriods + 3)),
  );
  const finest = Math.min(...definitions.map(({ periodSeconds }) => periodSeconds));
  /** Lets as much time pass as the alarms look back, with these values in each of the shortest periods, or none at all. */
  const pass = async (figures: Figures | undefined) => {
    const from = clock.now();
    await clock.advance(longest * 1_000);
    const seen = new Set<string>();
    for (const { MetricStat, Id } of definitions.flatMap(({ queries }) => queries)) {
      const value = figures?.[Id];
      if (MetricStat === undefined || value === undefined) continue;
      const key = JSON.stringify(MetricStat.Metric);
      if (seen.has(key)) continue;
      seen.add(key);
      for (let at = from + (finest * 1_000) / 2; at < clock.now(); at += finest * 1_000) {
        const counted =
          MetricStat.Stat === 'SampleCount' ? { values: [1], counts: [value] } : { values: [value] };
        cloudWatch.metrics.record({
          ...{ ...identityOf(MetricStat.Metric), ...counted, timestamp: at },
          ...(finest < 60 && { highResolution: true }),
        });
      }
    }
    cloudWatch.alarms.evaluate();
    await clock.advance(0);
  };
  const stateOf = (name: string) =>
    cloudWatch.alarms.list().find(({ alarm }) => alarm.name === name)?.memory.current.value;
  return { definitions, told, events, pass, stateOf, stop: () => cloudWatch.stop() };
}

/** What raises an alarm on one metric, what ends it, and what it must not be raised by. */
function figuresOf(name: string, alarm: Alarm): (typeof computed)[string] {
  const [known] = Object.entries(computed).filter(
    ([start]) => name === start || name.startsWith(`${start}-`),
  );
  if (alarm.queries.length > 1) {
    if (known === undefined)
      throw new Error(`Say in this file what raises ${name}, which computes something.`);
    return known[1];
  }
  const { Threshold: threshold, ComparisonOperator: operator } = alarm.template;
  const [raised, ended] = {
    GreaterThanThreshold: [threshold + 1, threshold],
    GreaterThanOrEqualToThreshold: [threshold, threshold - 1],
    LessThanThreshold: [threshold - 1, threshold],
    LessThanOrEqualToThreshold: [threshold, threshold + 1],
  }[operator];
  return { raised: { m1: raised ?? 0 }, ended: { m1: ended ?? 0 } };
}

describe('Each alarm', () => {
  it.each(simple)(
    '$name is raised by its metric, ends with it, and tells who is to be told',
    async ({ name, properties }) => {
      const { definitions, told, events, pass, stateOf, stop } = await watched([properties]);
      const [alarm] = definitions;
      if (alarm === undefined) throw new Error(`${name} is no alarm on metrics.`);
      const { raised, ended, tooFew } = figuresOf(name, alarm);
      await pass(ended);
      expect(stateOf(alarm.name)).toBe('OK');
      if (tooFew !== undefined) {
        await pass(tooFew);
        expect(stateOf(alarm.name)).toBe('OK');
      }
      await pass(raised);
      expect(stateOf(alarm.name)).toBe('ALARM');
      const { TreatMissingData } = alarm.template;
      await pass(TreatMissingData === 'notBreaching' ? undefined : ended);
      expect(stateOf(alarm.name)).toBe('OK');
      if (TreatMissingData === 'breaching') {
        await pass(undefined);
        expect(stateOf(alarm.name)).toBe('ALARM');
      }
      const silent = name.startsWith('budget-burn-');
      const ofTopic = told.filter(({ target }) => target === arns.topic);
      const changes =
        TreatMissingData === 'breaching' ? ['OK', 'ALARM', 'OK', 'ALARM'] : ['OK', 'ALARM', 'OK'];
      expect(ofTopic.map(({ state }) => state)).toEqual(silent ? [] : changes);
      for (const { text } of ofTopic) expect(text).toMatch(/\nRunbook: .*\/[a-z-]+\.md$/);
      // Webhooks hear of these events.
      expect(
        events.map(({ detail }) => z.looseObject({ value: z.string() }).parse(detail.state).value),
      ).toEqual(changes);
      const acts = told.filter(({ target }) => target === arns.fn).map(({ state }) => state);
      expect(acts).toEqual(
        name.startsWith('writer-down') ? changes.filter((state) => state === 'ALARM') : [],
      );
      await stop();
    },
  );

  it.each(composite)(
    '$name follows the alarms that it is made of, and tells in their place',
    async ({ name, properties }) => {
      const parts = simple
        .filter((part) => String(properties.AlarmRule).includes(part.properties.AlarmName))
        .map((part) => part.properties);
      expect(parts.length).toBeGreaterThan(1);
      const { told, pass, stateOf, stop } = await watched([...parts, properties]);
      const known = computed[name];
      if (known === undefined) throw new Error(`Say in this file what raises ${name}.`);
      for (const figures of [known.ended, known.tooFew ?? known.ended, known.raised, known.ended]) {
        await pass(figures);
      }
      expect(stateOf(properties.AlarmName)).toBe('OK');
      expect(told.map(({ alarm, state }) => `${alarm} ${state}`)).toEqual(
        ['OK', 'ALARM', 'OK'].map((state) => `${properties.AlarmName} ${state}`),
      );
      await stop();
    },
  );

  it('of Mainstay’s own watches metrics that its capability publishes', () => {
    const texts = new Map<string, string>();
    const unpublished = simple.flatMap(({ name, properties }) =>
      metricsOf(properties).flatMap(({ MetricName, Dimensions }) => {
        const capability = Dimensions.find(({ Name }) => Name === 'service')?.Value ?? '';
        const text = texts.get(capability) ?? sources(join(root, 'functions', capability));
        texts.set(capability, text);
        return new RegExp(`'${MetricName}'|\\b${MetricName}:`).test(text) ? [] : `${name}: ${MetricName}`;
      }),
    );
    expect(unpublished).toEqual([]);
  });
});

const ownMetricSchema = z.object({
  Namespace: z.string().startsWith('Mainstay/'),
  MetricName: z.string(),
  Dimensions: z.array(z.object({ Name: z.string(), Value: z.string() })),
});

/** Mainstay's own metrics that an alarm watches. */
const metricsOf = (properties: Properties) => {
  const metrics = z
    .array(z.object({ MetricStat: z.object({ Metric: z.unknown() }).optional() }))
    .default([])
    .parse(properties.Metrics)
    .map(({ MetricStat }) => MetricStat?.Metric);
  return [properties, ...metrics].flatMap((metric) => ownMetricSchema.safeParse(metric).data ?? []);
};

const sources = (directory: string): string =>
  readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => readFileSync(join(directory, path), 'utf8'))
    .join('\n');

import { loadConfig } from '../config/config.ts';
import { estimate, type Item, type Workload } from './estimate.ts';

/** The settings that the page assumes of each profile. */
export const settings: Record<'dev' | 'production', unknown> = {
  dev: {},
  production: {
    profile: 'production',
    region: 'eu-central-1',
    standby: { region: 'eu-west-1' },
    edge: {
      domains: ['www.example.com'],
      hostedZone: { id: 'Z0123456789EXAMPLE', name: 'example.com' },
    },
  },
};

/** The work that the page assumes of each profile. */
export const workloads: Record<'dev' | 'production', Workload> = {
  dev: {
    databaseGb: 10,
    awakeHours: 120,
    awakeAcu: 1,
    ioMillions: 5,
    changedGbPerDay: 0.5,
    backupsKept: 7,
    apiMillions: 0.1,
    cdn: { gb: 0, millions: 0 },
    alarms: 86,
    logsGb: 1,
  },
  production: {
    databaseGb: 200,
    awakeHours: 730,
    awakeAcu: 1,
    ioMillions: 100,
    changedGbPerDay: 2,
    backupsKept: 30,
    apiMillions: 1,
    cdn: { gb: 100, millions: 5 },
    alarms: 112,
    logsGb: 10,
  },
};

const introduction = `# What it costs in a month

<!-- Written by lib/costs/write-page.ts from lib/costs. -->

Dollars, at the list prices of us-east-1 in November 2026 as they are assumed in \`lib/costs/prices.ts\`. They are inputs, not a
quote: look them up for your region, change them there, and write this page anew. Free tiers, discounts, taxes and
support are not in it. Nothing is charged for a deployment of functions, for Mainstay itself, or for gateway endpoints.
`;

const advice = `## What changes it most

- \`shards[].capacity.minAcu\` and \`readers\`: each instance costs its least capacity around the clock. With 0 it pauses
  after 15 minutes without a connection, and needs half a minute to wake up. Instances of an \`instanceClass\` cost that class's price all
  the time; they are not above.
- Backups that are kept, and \`standby.keepDays\`: copies of deleted backups stay until they are that old.
- \`network.endpointZones\`: one zone is enough while a failure of that zone may stop backups.
- \`database.insights: advanced\` and \`database.enhancedMonitoringSeconds\` are charged by capacity and by volume; they are not above.
`;

/** The page about costs, as Markdown. */
export function renderCosts(): string {
  const sections = (['dev', 'production'] as const).map(section);
  return [introduction, ...sections, advice].join('\n');
}

function section(profile: 'dev' | 'production'): string {
  const config = loadConfig(profile, { environments: { [profile]: settings[profile] } });
  const work = workloads[profile];
  const items = estimate(config, work).filter(({ quantity }) => quantity > 0);
  const total = items.reduce((sum, item) => sum + costOf(item), 0);
  const rows = items.map(
    (item) =>
      `| ${item.what} | ${item.how} = ${number(item.quantity)} | ${item.price.dollars} per ${item.price.per} | ${costOf(item).toFixed(2)} |`,
  );
  return [
    titles[profile],
    '',
    `Assumed: ${work.databaseGb} GB of data, awake ${work.awakeHours} of 730 hours, one full backup a day of which ${work.backupsKept} are kept,`,
    `${work.apiMillions} million calls of the API.`,
    '',
    '| What | How much | Price | In a month |',
    '|---|---|---|--:|',
    ...rows,
    `| **Together** | | | **${total.toFixed(2)}** |`,
    '',
  ].join('\n');
}

const titles = {
  dev: '## The `dev` profile as it is',
  production: '## The `production` profile with a second region and a distribution',
};

/** What an item costs in a month, in dollars. */
export function costOf({ quantity, price }: Item): number {
  return quantity * price.dollars;
}

function number(value: number): string {
  return new Intl.NumberFormat('en', { maximumFractionDigits: value < 10 ? 3 : 0 })
    .format(value)
    .replaceAll(',', ' ');
}

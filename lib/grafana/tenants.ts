import { type Dashboard, hourly, type Panel, type Query, rate, slowRate, type Unit } from './panels.ts';

const panel = (title: string, unit: Unit, ...queries: Query[]): Panel => ({ title, unit, queries });
const query = (legend: string, expr: string): Query => ({ expr, legend });

/** Of the tenants that are chosen; services report tenants as `tenant_id`. */
const own = (metric: string, matchers = ''): string => `${metric}{${matchers}tenant=~"$tenant"}`;
const reported = (metric: string): string => `${metric}{tenant_id=~"$tenant"}`;

/** What tenants have used, of all that was used, in the time that is looked at. */
const sharesOf = (metric: string): string =>
  `sum by (tenant) (increase(${own(metric)}[$__range])) / scalar(sum(increase(${metric}[$__range])))`;
const storageShare =
  'sum by (tenant) (label_replace(storage_bytes{tenant_id=~"$tenant"}, "tenant", "$1", "tenant_id", "(.*)")) / scalar(sum(storage_bytes))';

/** Tenants: what they use, how they are served, and what of the costs is theirs. */
export const tenantsDashboard: Dashboard = {
  uid: 'mainstay-tenants',
  title: 'Mainstay: tenants',
  description: 'What tenants use, how they are served, and what of the costs is theirs by that.',
  variables: [
    {
      ...{ kind: 'query', name: 'tenant', label: 'Tenant' },
      query: 'label_values(mainstay_tenant_request_seconds_total, tenant)',
    },
    { kind: 'text', name: 'cost_requests', label: 'Cost of functions and databases ($)', value: '100' },
    { kind: 'text', name: 'cost_edge', label: 'Cost of the edge ($)', value: '50' },
    { kind: 'text', name: 'cost_storage', label: 'Cost of storage ($)', value: '20' },
  ],
  sections: [
    {
      title: 'Requests',
      panels: [
        panel(
          'Requests',
          'reqps',
          query('{{tenant}}', `sum by (tenant) (${rate(own('mainstay_tenant_requests_total'))})`),
        ),
        panel(
          'Server errors',
          'percentunit',
          query(
            '{{tenant}}',
            `(sum by (tenant) (${rate(own('mainstay_tenant_requests_total', 'code="5xx",'))}) or 0 * sum by (tenant) (${rate(own('mainstay_tenant_requests_total'))})) / sum by (tenant) (${rate(own('mainstay_tenant_requests_total'))})`,
          ),
        ),
        panel(
          'Average duration',
          's',
          query(
            '{{tenant}}',
            `${rate(own('mainstay_tenant_request_seconds_total'))} / sum by (tenant) (${rate(own('mainstay_tenant_requests_total'))})`,
          ),
        ),
      ],
    },
    {
      title: 'Websites and deployments',
      panels: [
        panel(
          'Websites',
          'short',
          query('{{tenant_id}}', `sum by (tenant_id) (${reported('active_websites_total')})`),
        ),
        panel(
          'Active users',
          'short',
          query('{{tenant_id}}', `sum by (tenant_id) (${reported('active_users')})`),
        ),
        panel(
          'Deployments in an hour',
          'short',
          query(
            '{{tenant_id}} {{status}}',
            `sum by (tenant_id, status) (${hourly(reported('deployments_total'))})`,
          ),
        ),
        panel(
          'Deployments so far',
          'short',
          query('{{tenant_id}} {{status}}', `sum by (tenant_id, status) (${reported('deployments_total')})`),
        ),
        panel(
          'Requests at the edge',
          'reqps',
          query('{{tenant}}', slowRate(own('mainstay_tenant_edge_requests_total'))),
        ),
        panel(
          'Bandwidth',
          'Bps',
          query('{{tenant}}', slowRate(own('mainstay_tenant_edge_sent_bytes_total'))),
        ),
        panel(
          'Storage',
          'bytes',
          query('{{tenant_id}}', `sum by (tenant_id) (${reported('storage_bytes')})`),
        ),
      ],
    },
    {
      title: 'Costs by use',
      panels: [
        {
          ...panel(
            'Functions and databases, by the time of requests',
            'currencyUSD',
            query('{{tenant}}', `$cost_requests * ${sharesOf('mainstay_tenant_request_seconds_total')}`),
          ),
          kind: 'bargauge',
        },
        {
          ...panel(
            'The edge, by bytes sent',
            'currencyUSD',
            query('{{tenant}}', `$cost_edge * ${sharesOf('mainstay_tenant_edge_sent_bytes_total')}`),
          ),
          kind: 'bargauge',
        },
        {
          ...panel(
            'Storage, by bytes',
            'currencyUSD',
            query('{{tenant}}', `$cost_storage * ${storageShare}`),
          ),
          kind: 'bargauge',
        },
      ],
    },
  ],
};

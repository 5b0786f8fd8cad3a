import type { Dashboard } from './panels.ts';
import { grafanaJson } from './panels.ts';
import { platformDashboard } from './platform.ts';
import { tenantsDashboard } from './tenants.ts';

/** The dashboards for Grafana, by the name of their file in docs/operations/grafana. */
export const dashboards: Readonly<Record<string, Dashboard>> = {
  'platform.json': platformDashboard,
  'tenants.json': tenantsDashboard,
};

/** A dashboard as its file has it. */
export const renderDashboard = (dashboard: Dashboard): string =>
  `${JSON.stringify(grafanaJson(dashboard), undefined, 2)}\n`;

/** All queries of a dashboard, as Prometheus gets them: with these values of what Grafana fills in. */
export function queriesOf({ sections }: Dashboard, variables: Readonly<Record<string, string>>): string[] {
  const known: Readonly<Record<string, string>> = { __rate_interval: '5m', __range: '1d', ...variables };
  return sections.flatMap(({ panels }) =>
    panels.flatMap(({ queries }) =>
      queries.map(({ expr }) =>
        Object.entries(known).reduce((text, [name, value]) => text.replaceAll(`$${name}`, value), expr),
      ),
    ),
  );
}

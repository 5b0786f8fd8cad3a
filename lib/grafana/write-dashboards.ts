import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { dashboards, renderDashboard } from './dashboards.ts';

const directory = join(dirname(dirname(import.meta.dirname)), 'docs', 'operations', 'grafana');
mkdirSync(directory, { recursive: true });
for (const [name, dashboard] of Object.entries(dashboards)) {
  writeFileSync(join(directory, name), renderDashboard(dashboard));
}

import type { RouteHandlers } from '../../shared/http-handler.ts';
import type { KeptAnswer } from '../../shared/kept-answer.ts';
import type { CloudMetrics } from '../cloud/cloud-metrics.ts';
import { familiesOfCloud } from '../cloud/families.ts';
import { reportedFamilies } from '../reported/families.ts';
import type { ReportedMetric } from '../reported/reported-store.ts';
import type { Tally } from '../tally/tally.ts';
import type { expositionRoutes } from './contract.ts';
import { ownFamilies } from './families.ts';
import type { Family } from './family.ts';
import { negotiate } from './negotiate.ts';
import { contentTypes, exposition } from './text.ts';

interface Parts {
  /** Everything that was ever counted. */
  readonly counted: KeptAnswer<Tally>;
  /** What services have reported. */
  readonly reported: KeptAnswer<ReportedMetric[]>;
  /** What only CloudWatch has. */
  readonly cloud: CloudMetrics;
  readonly now: () => number;
  readonly build: { readonly environment: string; readonly version: string };
}

/** The handlers of what Prometheus scrapes. */
export function scrapeHandlers({
  counted,
  reported,
  cloud,
  now,
  build,
}: Parts): RouteHandlers<typeof expositionRoutes> {
  const scrape: RouteHandlers<typeof expositionRoutes>['prometheus'] = async ({ query, request, log }) => {
    const format = negotiate(request.headers.accept);
    const [own, theirs, read] = await Promise.all([counted.get(), reported.get(), cloud.get(log)]);
    const families = [
      buildFamily(build),
      ...ownFamilies(own, query.quantiles),
      ...familiesOfCloud(read.series, now()),
      ...reportedFamilies(theirs, now()),
    ];
    return {
      status: 200,
      headers: { 'content-type': contentTypes[format], vary: 'accept' },
      body: exposition(families, format),
    };
  };
  return { prometheus: scrape, metricsPage: scrape };
}

const buildFamily = (labels: Parts['build']): Family => ({
  name: 'mainstay_build',
  help: 'What is deployed.',
  type: 'info',
  samples: [{ labels: { ...labels }, value: 1 }],
});

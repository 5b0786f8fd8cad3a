import type { RouteHandlers } from '../../shared/http-handler.ts';
import type { KeptAnswer } from '../../shared/kept-answer.ts';
import type { Tally } from '../tally/tally.ts';
import type { expositionRoutes } from './contract.ts';
import { ownFamilies } from './families.ts';
import type { Family } from './family.ts';
import { negotiate } from './negotiate.ts';
import { contentTypes, exposition } from './text.ts';

interface Parts {
  /** Everything that was ever counted. */
  readonly counted: KeptAnswer<Tally>;
  readonly build: { readonly environment: string; readonly version: string };
}

/** The handlers of what Prometheus scrapes. */
export function scrapeHandlers({ counted, build }: Parts): RouteHandlers<typeof expositionRoutes> {
  const scrape: RouteHandlers<typeof expositionRoutes>['prometheus'] = async ({ query, request }) => {
    const format = negotiate(request.headers.accept);
    const families = [buildFamily(build), ...ownFamilies(await counted.get(), query.quantiles)];
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

import { CloudFrontClient } from '@aws-sdk/client-cloudfront';
import { Cloudflare } from '../../../../functions/cdn/providers/cloudflare.ts';
import { CloudFront } from '../../../../functions/cdn/providers/cloudfront.ts';
import { Fastly } from '../../../../functions/cdn/providers/fastly.ts';
import { HttpsApi } from '../../../../functions/cdn/providers/https-api.ts';
import { Pace } from '../../../../functions/cdn/providers/pace.ts';
import type { EdgeProvider } from '../../../../functions/cdn/providers/provider.ts';
import { cloudflarePlans, providerSettingsSchema } from '../../../../functions/cdn/providers/settings.ts';
import { CircuitBreaker } from '../../../../functions/shared/circuit-breaker.ts';
import { type ProviderServer, startCloudFront, startCloudflare, startFastly } from './provider-servers.ts';

export const domain = 'www.example.com';
const secret = 'arn:aws:secretsmanager:eu-central-1:000000000000:secret:token';
const own = [{ website: 'own.example.com', tenant: 'solo', id: 'OWN' }];

/** A provider, and the server that answers it as the documentation says. */
export interface World {
  readonly server: ProviderServer;
  readonly provider: EdgeProvider;
  readonly clock: { now: number };
}

/** Starts each of the providers. */
export const start: Record<EdgeProvider['kind'], () => Promise<World>> = {
  cloudfront: async () => {
    const server = await startCloudFront();
    const clock = { now: Date.now() };
    const settings = providerSettingsSchema.parse({
      ...{ kind: 'cloudfront', domain, distributionId: 'E1', multiTenant: true, websites: own },
    });
    if (settings.kind !== 'cloudfront') throw new Error('not CloudFront');
    const client = new CloudFrontClient({
      ...{ endpoint: server.url, region: 'us-east-1', maxAttempts: 1 },
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
    return {
      server,
      clock,
      provider: new CloudFront(client, settings, new CircuitBreaker('it', () => clock.now)),
    };
  },
  cloudflare: async () => {
    const server = await startCloudflare();
    const clock = { now: Date.now() };
    const settings = providerSettingsSchema.parse({
      ...{ kind: 'cloudflare', domain, zoneId: 'zone', tokenSecretArn: secret, websites: own },
      apiUrl: server.url,
    });
    if (settings.kind !== 'cloudflare') throw new Error('not Cloudflare');
    const credential = async () => ['authorization', 'Bearer the-token'] as const;
    const api = apiOf(server, clock, credential);
    return {
      server,
      clock,
      provider: new Cloudflare(api, settings, new Pace(cloudflarePlans.pro, () => clock.now)),
    };
  },
  fastly: async () => {
    const server = await startFastly();
    const clock = { now: Date.now() };
    const settings = providerSettingsSchema.parse({
      ...{ kind: 'fastly', domain, serviceId: 'service', tokenSecretArn: secret, websites: own },
      apiUrl: server.url,
    });
    if (settings.kind !== 'fastly') throw new Error('not Fastly');
    return {
      server,
      clock,
      provider: new Fastly(
        apiOf(server, clock, async () => ['fastly-key', 'the-token']),
        settings,
      ),
    };
  },
};

function apiOf(
  server: ProviderServer,
  clock: { now: number },
  credential: () => Promise<readonly [string, string]>,
): HttpsApi {
  const now = () => clock.now;
  return new HttpsApi({
    ...{ name: 'it', url: server.url, now, credential, sleep: async () => {} },
    breaker: new CircuitBreaker('it', now),
  });
}

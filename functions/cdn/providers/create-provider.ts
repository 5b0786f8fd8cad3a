import type { CloudFrontClient } from '@aws-sdk/client-cloudfront';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { CircuitBreaker } from '../../shared/circuit-breaker.ts';
import { Cloudflare } from './cloudflare.ts';
import { CloudFront } from './cloudfront.ts';
import { Fastly } from './fastly.ts';
import { HttpsApi } from './https-api.ts';
import { Pace } from './pace.ts';
import type { EdgeProvider } from './provider.ts';
import { cloudflarePlans, type ProviderSettings } from './settings.ts';
import { secretReader } from './token.ts';

export interface ProviderClients {
  readonly cloudFront: () => CloudFrontClient;
  readonly secrets: () => SecretsManagerClient;
  readonly now?: () => number;
}

/** A provider, and the breaker that stands before it. */
export interface GuardedProvider {
  readonly provider: EdgeProvider;
  readonly breaker: CircuitBreaker;
}

/** Makes the provider that the settings name; nothing where they name none. */
export function createProvider(
  settings: ProviderSettings,
  { cloudFront, secrets, now = Date.now }: ProviderClients,
): GuardedProvider | undefined {
  switch (settings.kind) {
    case 'none':
      return undefined;
    case 'cloudfront': {
      const breaker = new CircuitBreaker('CloudFront', now);
      return { breaker, provider: new CloudFront(cloudFront(), settings, breaker) };
    }
    case 'cloudflare': {
      const breaker = new CircuitBreaker('Cloudflare', now);
      const token = secretReader(secrets(), settings.tokenSecretArn, now);
      const api = new HttpsApi({
        ...{ name: 'Cloudflare', url: settings.apiUrl, breaker, now },
        credential: async () => ['authorization', `Bearer ${await token()}`],
      });
      const pace = new Pace(cloudflarePlans[settings.plan], now);
      return { breaker, provider: new Cloudflare(api, settings, pace) };
    }
    case 'fastly': {
      const breaker = new CircuitBreaker('Fastly', now);
      const token = secretReader(secrets(), settings.tokenSecretArn, now);
      const api = new HttpsApi({
        ...{ name: 'Fastly', url: settings.apiUrl, breaker, now },
        credential: async () => ['fastly-key', await token()],
      });
      return { breaker, provider: new Fastly(api, settings) };
    }
  }
}

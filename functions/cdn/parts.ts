import { AuditTrail } from '../access/audit/audit-trail.ts';
import type { AuditEntry } from '../access/audit/entry.ts';
import { Announcer } from '../shared/announcer.ts';
import { cloudFront, dynamo, eventBridge, secretsManager } from '../shared/clients.ts';
import { createProvider, type GuardedProvider } from './providers/create-provider.ts';
import { EdgeClient } from './providers/edge-client.ts';
import { edgeUrlOf, type ProviderSettings } from './providers/settings.ts';

/** The provider of this deployment. */
export const providerOf = (settings: ProviderSettings): GuardedProvider | undefined =>
  createProvider(settings, { cloudFront, secrets: secretsManager });

/** What asks the edge of this deployment; nothing where there is none. */
export function edgeClientOf(
  settings: ProviderSettings,
  limits: { readonly totalMs?: number } = {},
): EdgeClient | undefined {
  if (settings.kind === 'none') return undefined;
  const { kind, domain } = settings;
  return new EdgeClient({ kind, domain, edgeUrl: edgeUrlOf(settings, domain), ...limits });
}

/** Where what happened is told. */
export function tellingOf(environment: {
  readonly EVENT_BUS_NAME: string;
  readonly AUDIT_TABLE: string;
  readonly AUDIT_DAYS: number;
}): { announcer: Announcer; record: (entry: AuditEntry) => Promise<void> } {
  const audit = new AuditTrail({
    client: dynamo(),
    table: environment.AUDIT_TABLE,
    now: Date.now,
    retentionDays: environment.AUDIT_DAYS,
  });
  const announcer = new Announcer(eventBridge(), environment.EVENT_BUS_NAME);
  return { announcer, record: (entry) => audit.append(entry) };
}

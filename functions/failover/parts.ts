import type { LambdaClient } from '@aws-sdk/client-lambda';
import type * as z from 'zod';
import { AuditTrail } from '../access/audit/audit-trail.ts';
import type { AuditEntry } from '../access/audit/entry.ts';
import { Announcer } from '../shared/announcer.ts';
import { dynamo, eventBridge } from '../shared/clients.ts';
import { invoke } from '../shared/invoke.ts';
import type { OperateEvent } from './phases/events.ts';
import type { FailoverStore } from './store.ts';
import type { TellerDependencies } from './teller.ts';

/** Has the function inside the network do something. @throws DependencyError */
export const operateBy =
  (client: LambdaClient, functionArn: string) =>
  <S extends z.ZodType>(event: OperateEvent, result: S): Promise<z.output<S>> =>
    invoke(client, functionArn, event, result);

/** Where what happened is told, with the log of an invocation. */
export function tellerOf(
  store: FailoverStore,
  environment: { readonly EVENT_BUS_NAME: string; readonly AUDIT_TABLE: string; readonly AUDIT_DAYS: number },
): (log: TellerDependencies['log']) => TellerDependencies {
  const audit = new AuditTrail({
    client: dynamo(),
    table: environment.AUDIT_TABLE,
    now: Date.now,
    retentionDays: environment.AUDIT_DAYS,
  });
  const announcer = new Announcer(eventBridge(), environment.EVENT_BUS_NAME);
  return (log) => ({ store, announcer, record: (entry: AuditEntry) => audit.append(entry), log });
}

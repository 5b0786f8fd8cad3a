import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import type * as z from 'zod';
import { AuditTrail } from '../access/audit/audit-trail.ts';
import type { AuditEntry } from '../access/audit/entry.ts';
import { Announcer } from '../shared/announcer.ts';
import { dynamo, eventBridge } from '../shared/clients.ts';
import { DependencyError, onDependency } from '../shared/dependency.ts';
import type { OperateEvent } from './phases/events.ts';
import type { FailoverStore } from './store.ts';
import type { TellerDependencies } from './teller.ts';

/**
 * Invokes another function of failover and waits for what it returns.
 *
 * @throws DependencyError with the error that the function ended with.
 */
export async function invoke<S extends z.ZodType>(
  client: LambdaClient,
  functionArn: string,
  event: unknown,
  result: S,
): Promise<z.output<S>> {
  return onDependency('Lambda', 'Invoke', async () => {
    const { Payload, FunctionError } = await client.send(
      new InvokeCommand({ FunctionName: functionArn, Payload: JSON.stringify(event) }),
    );
    const text = Payload === undefined ? '' : Buffer.from(Payload).toString('utf8');
    if (FunctionError !== undefined)
      throw new DependencyError(`${functionArn} failed: ${text.slice(0, 500)}`);
    return result.parse(JSON.parse(text));
  });
}

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

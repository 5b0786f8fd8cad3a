import * as z from 'zod';
import type { Announcer } from '../../shared/announcer.ts';
import type { InvocationContext, RouteHandlers } from '../../shared/http-handler.ts';
import { decodeToken, encodeToken } from '../../shared/paging.ts';
import { type BusEventName, eventSource } from '../bus-events.ts';
import { changeKey, findKey, revokeKey } from './change-key.ts';
import type { keyRoutes } from './contract.ts';
import { type IssuedKey, isoTime, issueKey, type KeyDependencies } from './issue-key.ts';
import type { Key } from './key.ts';
import { type KeyRecord, showKey, stateOf } from './key-record.ts';
import type { KeyUse } from './key-use.ts';
import { rerollKey } from './reroll-key.ts';

export interface KeyApiDependencies extends KeyDependencies {
  readonly use: KeyUse;
  readonly announcer: Announcer;
}

type Context = Pick<InvocationContext, 'trace' | 'log' | 'metrics'>;
type KeyEvent = Extract<BusEventName, `key.${string}`>;

const positionSchema = z.string().regex(/^[0-9TZ:.-]{20,30}#[a-z2-7]{8}$/);

/** The routes of API keys. */
export function keyHandlers(deps: KeyApiDependencies): RouteHandlers<typeof keyRoutes> {
  const { keys, use, announcer, now } = deps;

  const show = async (record: KeyRecord): Promise<Key> =>
    showKey(record, now(), (await use.lastUsed([record.id])).get(record.id));
  const created = ({ record, key }: IssuedKey) => ({
    status: 201 as const,
    headers: { location: `/api/access/keys/${record.id}` },
    body: { ...showKey(record, now(), undefined), key },
  });
  const announce = async (context: Context, name: Exclude<KeyEvent, 'key.rerolled'>, record: KeyRecord) => {
    await announcer.tryAnnounce(context, eventSource, name, detailOf(context, now(), record));
  };

  return {
    createKey: async ({ body, caller, workId, ...context }) => {
      const issued = await issueKey(deps, { ...body, createdBy: caller.keyId, workId });
      context.log.info('API key made', { newKeyId: issued.record.id, scopes: issued.record.scopes });
      await announce(context, 'key.created', issued.record);
      return created(issued);
    },

    listKeys: async ({ query }) => {
      const { limit, tenantId, state } = query;
      const at = now();
      const { records, next } = await keys.list({
        limit,
        before: decodeToken('keys', positionSchema, query.nextToken),
        accepts: (record) =>
          (tenantId === undefined || record.tenant === tenantId) &&
          (state === undefined || stateOf(record, at) === state),
      });
      const used = await use.lastUsed(records.map(({ id }) => id));
      const nextToken = next === undefined ? null : encodeToken('keys', next);
      return {
        status: 200,
        body: { keys: records.map((record) => showKey(record, at, used.get(record.id))), nextToken },
      };
    },

    getKey: async ({ params }) => ({ status: 200, body: await show(await findKey(deps, params.keyId)) }),

    changeKey: async ({ params, body, ...context }) => {
      const record = await changeKey(deps, params.keyId, body);
      context.log.info('API key changed', { changedKeyId: record.id, members: Object.keys(body) });
      await announce(context, 'key.changed', record);
      return { status: 200, body: await show(record) };
    },

    revokeKey: async ({ params, ...context }) => {
      const { record, changed } = await revokeKey(deps, params.keyId);
      if (changed) {
        context.log.info('API key revoked', { revokedKeyId: record.id });
        await announce(context, 'key.revoked', record);
      }
      return { status: 200, body: await show(record) };
    },

    rerollKey: async ({ params, body, caller, workId, ...context }) => {
      const reroll = { ...body, createdBy: caller.keyId, workId };
      const { old, ...issued } = await rerollKey(deps, params.keyId, reroll);
      const replacedBy = issued.record.id;
      context.log.info('API key rerolled', { oldKeyId: old.id, newKeyId: replacedBy, until: old.validUntil });
      await announcer.tryAnnounce(context, eventSource, 'key.rerolled', {
        ...detailOf(context, now(), old),
        replacedBy,
      });
      return created(issued);
    },

    getSelf: ({ caller }) => {
      const { keyId, name, scopes, tier, tenant } = caller;
      return {
        status: 200,
        body: { keyId, name, scopes: [...scopes], tier, tenantId: tenant ?? null },
      };
    },
  };
}

/** What every event about a key tells of it. */
function detailOf({ trace }: Context, now: number, record: KeyRecord) {
  const { id: keyId, name, scopes, tier, tenant: tenantId, validUntil } = record;
  return {
    version: 1 as const,
    at: isoTime(now),
    traceparent: trace.traceparent,
    keyId,
    name,
    scopes,
    tier,
    ...(tenantId === undefined ? {} : { tenantId }),
    ...(validUntil === undefined ? {} : { validUntil }),
  };
}

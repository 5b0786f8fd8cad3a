import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import type { RouteHandlers } from '../../shared/http-handler.ts';
import { invalidRequest } from '../../shared/http-request.ts';
import { decodeToken, encodeToken } from '../../shared/paging.ts';
import { Problem } from '../../shared/problem.ts';
import type { AccessPolicy } from '../policy.ts';
import { canonicalNetwork, type Network } from './address.ts';
import { AddressListStore, type Entry, type ListName, listNames } from './address-list-store.ts';
import { networksOf, verdictOf } from './address-lists.ts';
import type { addressRoutes, ListedAddress } from './contract.ts';

export interface AddressDependencies {
  readonly client: DynamoDBDocumentClient;
  /** Table of limits: `GetItem`, `UpdateItem`. */
  readonly table: string;
  readonly policy: AccessPolicy;
  /** Milliseconds of the Unix epoch. */
  readonly now: () => number;
}

const positionSchema = z.string().max(100);

/** The routes of the lists of addresses. */
export function addressHandlers(deps: AddressDependencies): RouteHandlers<typeof addressRoutes> {
  const { policy, now } = deps;
  const store = new AddressListStore(deps.client, deps.table);

  const keepCaller = (sourceIp: string, entries: Entry[]): Entry[] => {
    if (verdictOf(policy, entries)(sourceIp) === 'allowed') return entries;
    throw new Problem('conflict', `This would lock out your own address, ${sourceIp}.`);
  };

  return {
    listAddresses: async ({ query }) => {
      const after = decodeToken('addresses', positionSchema, query.nextToken);
      const all = [...configured(policy), ...(await store.read()).map(shown)]
        .map((address) => ({ address, position: `${address.list} ${address.network} ${address.source}` }))
        .sort((a, b) => (a.position < b.position ? -1 : 1))
        .filter(({ position }) => after === undefined || position > after);
      const page = all.slice(0, query.limit);
      const last = page.at(-1)?.position;
      const nextToken =
        all.length > page.length && last !== undefined ? encodeToken('addresses', last) : null;
      return { status: 200, body: { addresses: page.map(({ address }) => address), nextToken } };
    },

    putAddress: async ({ params, body, caller, request, log }) => {
      const entry: Entry = {
        ...named(params),
        ...(body.note === undefined ? {} : { note: body.note }),
        addedAt: new Date(now()).toISOString(),
        addedBy: caller.keyId,
      };
      await store.change((entries) => keepCaller(request.sourceIp, [...without(entries, entry), entry]));
      log.info('Address listed', { list: entry.list, network: entry.network });
      return { status: 200, body: shown(entry) };
    },

    deleteAddress: async ({ params, request, log }) => {
      const gone = named(params);
      await store.change((entries) => {
        const rest = without(entries, gone);
        if (rest.length === entries.length) throw notListed(policy, gone);
        return keepCaller(request.sourceIp, rest);
      });
      log.info('Address taken off a list', gone);
      return { status: 204 };
    },
  };
}

const without = (entries: readonly Entry[], { list, network }: { list: ListName; network: Network }) =>
  entries.filter((entry) => entry.list !== list || entry.network !== network);

function notListed(policy: AccessPolicy, { list, network }: { list: ListName; network: Network }): Problem {
  return networksOf(policy, list).includes(network)
    ? new Problem('conflict', `${network} is on the list by the deployment's configuration. Change it there.`)
    : new Problem('not-found', `${network} is not on the list \`${list}\`.`);
}

/** What a path names. @throws Problem 400 for a prefix that is too long for the address. */
function named({ list, address, prefixLength }: { list: ListName; address: string; prefixLength: string }) {
  const network = canonicalNetwork(`${address}/${prefixLength}`);
  if (network !== undefined) return { list, network };
  throw invalidRequest([
    { field: 'params.prefixLength', message: 'is too long or too short for the address' },
  ]);
}

const shown = ({ list, network, note, addedAt, addedBy }: Entry): ListedAddress => ({
  list,
  network,
  source: 'api',
  note: note ?? null,
  addedAt,
  addedBy,
});

const configured = (policy: AccessPolicy): ListedAddress[] =>
  listNames.flatMap((list) =>
    [...new Set(networksOf(policy, list))].map((network) => ({
      list,
      network,
      source: 'deployment' as const,
      note: null,
      addedAt: null,
      addedBy: null,
    })),
  );

import * as z from 'zod';
import type { RouteContract } from '../../shared/contract.ts';
import { pageQuery } from '../../shared/paging.ts';

const listSchema = z.enum(['allow', 'deny']);

const addressSchema = z
  .strictObject({
    list: listSchema,
    network: z.string().meta({ description: 'In canonical form.', examples: ['203.0.113.0/24'] }),
    source: z
      .enum(['deployment', 'api'])
      .meta({ description: '`deployment`: from the configuration, and changed there alone.' }),
    note: z.string().nullable(),
    addedAt: z.iso.datetime().nullable(),
    addedBy: z.string().nullable().meta({ description: 'Id of the key that added it.' }),
  })
  .meta({ title: 'Network on a list of addresses' });
export type ListedAddress = z.output<typeof addressSchema>;

/** A network’s `/` stands in the path as it is: gateways differ in when they decode one that is written as `%2F`. */
const params = z.strictObject({
  list: listSchema,
  address: z
    .union([z.ipv4(), z.ipv6()], 'is no IPv4 or IPv6 address')
    .meta({ description: 'An address, or one of the network.', examples: ['203.0.113.0'] }),
  prefixLength: z
    .string()
    .regex(/^(\d{1,2}|1[01]\d|12[0-8])$/, 'is no number from 0 to 128')
    .meta({ description: '32 for an IPv4 address by itself, 128 for an IPv6 one.', examples: ['24'] }),
});
const path = '/api/access/addresses/{list}/{address}/{prefixLength}';
const lockedOut = 'It would lock out the address of the caller.';

/** The routes of the lists of addresses. */
export const addressRoutes = {
  listAddresses: {
    method: 'GET',
    path: '/api/access/addresses',
    scope: 'admin',
    summary: 'List the addresses and networks that are allowed or denied',
    description:
      'Where no network is on `allow`, every address may call the API that is not on `deny`. `deny` wins. Changes are effective within 30 seconds.',
    query: z.strictObject(pageQuery),
    responses: {
      200: {
        description: 'One page, by list and network.',
        schema: z
          .strictObject({ addresses: z.array(addressSchema), nextToken: z.string().nullable() })
          .meta({ title: 'Page of listed addresses' }),
      },
    },
  },
  putAddress: {
    method: 'PUT',
    path,
    scope: 'admin',
    summary: 'Put an address or a network on a list',
    description: 'Putting it there again replaces its note.',
    params,
    body: z.strictObject({
      note: z.string().max(200).optional().describe('Why, for those who read it later.'),
    }),
    responses: {
      200: { description: 'It is on the list.', schema: addressSchema },
      409: { description: lockedOut },
      422: { description: 'The lists are full: they have at most 500 networks together.' },
    },
  },
  deleteAddress: {
    method: 'DELETE',
    path,
    scope: 'admin',
    summary: 'Take an address or a network off a list',
    params,
    responses: {
      204: { description: 'It is not on the list any more.' },
      404: { description: 'It is not on the list.' },
      409: { description: `It is there by configuration. ${lockedOut}` },
    },
  },
} as const satisfies Record<string, RouteContract>;

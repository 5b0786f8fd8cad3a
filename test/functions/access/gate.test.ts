import '../shared/output.ts';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { AuditEntry } from '../../../functions/access/audit/audit-trail.ts';
import { Unauthorized } from '../../../functions/access/authenticate.ts';
import { makeGate } from '../../../functions/access/gate.ts';
import type { RouteContract, Scope } from '../../../functions/shared/contract.ts';
import type { Arrival } from '../../../functions/shared/gate.ts';
import type { Caller } from '../../../functions/shared/http-handler.ts';
import { Problem } from '../../../functions/shared/problem.ts';
import { arrivalAt } from './arrival.ts';

const now = Date.parse('2026-11-20T10:00:00Z');
const tooMany = () => {
  throw new Problem('too-many-requests', 'Slow down.');
};
let entries: AuditEntry[];
let steps: string[];
let failing: { audit?: true; address?: true; lookup?: true; caller?: true; withoutKey?: true };
let caller: Caller | Problem;

const step = (name: string, fails: true | undefined) => async () => {
  steps.push(name);
  return fails ? tooMany() : { ratelimit: name };
};
const gate = () =>
  makeGate({
    authenticate: async () => {
      steps.push('authenticate');
      if (caller instanceof Problem) throw caller;
      return caller;
    },
    limits: {
      checkAddress: async () => void (await step('address', failing.address)()),
      withoutKey: step('withoutKey', failing.withoutKey),
      beforeLookup: async () => void (await step('lookup', failing.lookup)()),
      failed: async () => void (await step('failed', undefined)()),
      ofCaller: step('caller', failing.caller),
    },
    use: { note: async (id) => void steps.push(`use ${id}`) },
    audit: {
      append: async (entry) => {
        if (failing.audit) throw new Error('no route to host');
        entries.push(entry);
      },
    },
    idempotency: { run: (_request, handle) => handle('01K9Z3V5Q0J8X7N2T4R6M1C9HB') },
    now: () => now,
  });

const route = (scope: RouteContract['scope'], more: Partial<RouteContract> = {}): RouteContract => ({
  method: 'POST',
  path: '/api/things',
  scope,
  summary: 'Things',
  responses: {},
  ...more,
});
const holding = (scopes: Scope[], tenant?: string): Caller => ({
  keyId: 'abcdefgh',
  name: 'A key',
  scopes,
  tier: 'free',
  ...(tenant === undefined ? {} : { tenant }),
});
const admit = (arrival: Arrival) => gate().admit(arrival);
const refused = (arrival: Arrival) => expect(admit(arrival)).rejects;

beforeEach(() => {
  entries = [];
  steps = [];
  failing = {};
  caller = holding(['admin']);
});

describe('the gate', () => {
  it('lets a good key in, counts its request and notes that it was used', async () => {
    expect(await admit(arrivalAt(route('admin')))).toEqual({ caller, headers: { ratelimit: 'caller' } });
    expect(steps).toEqual(['address', 'authenticate', 'caller', 'use abcdefgh']);
    expect(entries).toEqual([]);
  });

  it('counts open routes by address, and those that monitors ask not at all', async () => {
    expect(await admit(arrivalAt(route('open')))).toEqual({
      caller: undefined,
      headers: { ratelimit: 'withoutKey' },
    });
    expect(await admit(arrivalAt(route('open', { uncounted: true })))).toEqual({
      caller: undefined,
      headers: {},
    });
    expect(steps).toEqual(['address', 'withoutKey']);
  });

  it('asks nobody else about an address that may not call', async () => {
    failing = { address: true };
    await refused(arrivalAt(route('admin'))).toMatchObject({ status: 429 });
    expect(steps).toEqual(['address']);
  });

  it('counts a request without a key by its address, and keeps nothing of it', async () => {
    caller = new Unauthorized('Send an API key.', { attempted: false });
    await refused(arrivalAt(route('admin'))).toMatchObject({ status: 401 });
    expect(steps).toEqual(['address', 'authenticate', 'withoutKey']);
    expect(entries).toEqual([]);
  });

  it('keeps each refused key with its id and address, until the address has failed too often', async () => {
    caller = new Unauthorized('The API key is not known.', { keyId: 'zzzzzzzz' });
    await refused(arrivalAt(route('admin'))).toMatchObject({ status: 401 });
    expect(steps).toEqual(['address', 'authenticate', 'lookup', 'failed', 'withoutKey']);
    expect(entries).toEqual([
      {
        at: '2026-11-20T10:00:00.000Z',
        action: 'credential.refused',
        actor: { keyId: 'zzzzzzzz' },
        target: '/api/things',
        sourceIp: '192.0.2.1',
        outcome: 'refused',
        status: 401,
        traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
      },
    ]);
    failing = { lookup: true };
    await refused(arrivalAt(route('admin'))).toMatchObject({ status: 429 });
    expect(entries).toHaveLength(1);
  });

  it('refuses a key without the scope, or of a tenant where the platform is concerned, and keeps that', async () => {
    caller = holding(['recovery:read']);
    await refused(arrivalAt(route('admin'))).toMatchObject({ status: 403 });
    caller = holding(['recovery:write'], 'tenant-1');
    await refused(arrivalAt(route('recovery:read'))).toMatchObject({ status: 403 });
    expect(entries).toMatchObject([
      { action: 'credential.refused', actor: { keyId: 'abcdefgh', name: 'A key' }, status: 403 },
      { actor: { tenant: 'tenant-1' }, status: 403 },
    ]);
    expect(await admit(arrivalAt(route('recovery:read', { tenants: true })))).toMatchObject({ caller });
    expect(await admit(arrivalAt(route('any', { tenants: true })))).toMatchObject({ caller });
  });

  it('limits a key before it looks at its scope', async () => {
    caller = holding([]);
    failing = { caller: true };
    await refused(arrivalAt(route('admin'))).toMatchObject({ status: 429 });
    expect(entries).toEqual([]);
  });

  it('keeps a change under the place that it made, with how it ended', async () => {
    const call = {
      ...arrivalAt(route('admin')),
      caller: holding(['admin']),
      input: { params: {}, query: {}, body: {} },
    };
    await gate().record(call, { status: 201, location: '/api/things/7' });
    await gate().record(call, { status: 409 });
    await gate().record(call, { status: 500 });
    expect(entries).toMatchObject([
      { action: 'POST /api/things', target: '/api/things/7', outcome: 'succeeded', status: 201 },
      { target: '/api/things', outcome: 'refused', status: 409 },
      { outcome: 'failed', status: 500 },
    ]);
  });

  it('answers although the audit trail does not, and says so in the log', async () => {
    failing = { audit: true };
    const lines: unknown[] = [];
    const arrival = arrivalAt(route('admin'), (line) => lines.push(line));
    const call = { ...arrival, caller: holding(['admin']), input: { params: {}, query: {}, body: {} } };
    await gate().record(call, { status: 201 });
    expect(lines).toEqual([
      ['The audit trail did not take an entry', expect.objectContaining({ entry: expect.anything() })],
    ]);
  });
});

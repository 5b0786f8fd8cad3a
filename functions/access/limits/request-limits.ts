import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { RouteContract } from '../../shared/contract.ts';
import { routeKeyOf } from '../../shared/gate.ts';
import type { Caller, HttpRequest } from '../../shared/http-handler.ts';
import { Problem } from '../../shared/problem.ts';
import { subjectOfAddress } from '../addresses/address.ts';
import { AddressListStore } from '../addresses/address-list-store.ts';
import { AddressLists } from '../addresses/address-lists.ts';
import type { AccessPolicy } from '../policy.ts';
import { CounterStore, CountersUnavailable } from './counter-store.ts';
import { FailedCredentials } from './failed-credentials.ts';
import { type LimitHeaders, limitHeaders } from './headers.ts';
import { Leases } from './leases.ts';
import { type Limits, limitsOf } from './limits-of-policy.ts';
import { cannotCount, tooManyRequests } from './problems.ts';
import { RefusalLog } from './refusal-log.ts';
import { RefusalStore } from './refusal-store.ts';
import { subjectOf } from './subjects.ts';
import { type Use, useAll } from './use-all.ts';

export interface RequestLimitsOptions {
  readonly client: DynamoDBDocumentClient;
  /** Table of counters, refusals and lists of addresses: `GetItem`, `UpdateItem`. */
  readonly table: string;
  readonly policy: AccessPolicy;
  /** Default: the process's clock, in milliseconds. */
  readonly now?: () => number;
  /** The longest that a request waits for one question to the store, in milliseconds. Default 5 000. */
  readonly deadlineMs?: number;
  /** From 0 to less than 1. */
  readonly random?: () => number;
}

/**
 * Who may call the API, and how often. One for the life of an execution environment: it keeps units of the shared
 * counters, so that most requests are decided without a question to the store.
 */
export class RequestLimits {
  readonly #limits: Limits;
  readonly #leases: Leases;
  readonly #failures: FailedCredentials;
  readonly #refusals: RefusalLog;
  readonly #lists: AddressLists;

  constructor(options: RequestLimitsOptions) {
    const { client, table, policy, now = Date.now, deadlineMs = 5_000, random = Math.random } = options;
    const counters = new CounterStore(client, table, deadlineMs);
    const refusals = new RefusalStore(client, table);
    const addresses = new AddressListStore(client, table);
    const deadline = () => AbortSignal.timeout(deadlineMs);
    this.#limits = limitsOf(policy);
    this.#leases = new Leases(counters, now, random);
    this.#failures = new FailedCredentials(counters, this.#limits.failedCredentials, now);
    this.#refusals = new RefusalLog((counts) => refusals.add(counts, deadline()), now);
    this.#lists = new AddressLists(policy, () => addresses.read(deadline()), now);
  }

  /**
   * Counts a request with a valid key: against the tier of the key, and against the limits of the route.
   *
   * @returns headers of every answer to the request.
   * @throws Problem 429; 400 for a user's name that is too long; 503 when the store is down, except for GET requests
   *   within the size of the last lease.
   */
  async ofCaller(request: HttpRequest, caller: Caller, route: RouteContract): Promise<LimitHeaders> {
    const tier = { limit: this.#limits.tiers[caller.tier], subject: caller.keyId };
    return this.#use(request, route, [tier, ...this.#ofRoute(request, caller, route)]);
  }

  /**
   * Counts a request without a valid key against the limit of its address, and against the route's limits of addresses.
   *
   * @returns headers of every answer to the request.
   * @throws Problem 429; 503 as above.
   */
  async withoutKey(request: HttpRequest, route: RouteContract): Promise<LimitHeaders> {
    const address = { limit: this.#limits.withoutKey, subject: subjectOfAddress(request.sourceIp) };
    return this.#use(request, route, [address, ...this.#ofRoute(request, undefined, route)]);
  }

  /**
   * Asks, before an unknown key is looked at, whether its address may try one.
   *
   * @throws Problem 429 when too many keys of the address were refused, 503 when the store is down.
   */
  async beforeLookup({ sourceIp }: HttpRequest): Promise<void> {
    const limit = this.#limits.failedCredentials;
    const subject = subjectOfAddress(sourceIp);
    const waitMs = await answered(this.#failures.waitMs(subject));
    if (waitMs === 0) return;
    await this.#refusals.note(limit.name, subject, '*');
    throw tooManyRequests([{ limit, left: 0, resetMs: waitMs }]);
  }

  /**
   * Counts a refused key.
   *
   * @throws Problem 503 when the store is down: who cannot be counted is not told whether a key is good.
   */
  async failed({ sourceIp }: HttpRequest): Promise<void> {
    await answered(this.#failures.count(subjectOfAddress(sourceIp)));
  }

  /**
   * Looks for the client's address in the lists.
   *
   * @throws Problem 403.
   */
  async checkAddress({ sourceIp }: HttpRequest): Promise<void> {
    if ((await this.#lists.check(sourceIp)) === 'allowed') return;
    throw new Problem('forbidden', 'This API cannot be called from your address.');
  }

  #ofRoute(request: HttpRequest, caller: Caller | undefined, route: RouteContract): Use[] {
    return this.#limits.routes
      .filter((limit) => limit.route === routeKeyOf(route))
      .flatMap((limit) => {
        const subject = subjectOf(limit.per, request, caller);
        return subject === undefined ? [] : [{ limit, subject }];
      });
  }

  async #use(request: HttpRequest, route: RouteContract, uses: readonly Use[]): Promise<LimitHeaders> {
    const { standings, usedUp } = await answered(useAll(this.#leases, uses, request.method === 'GET'));
    for (const { limit, subject } of usedUp) {
      await this.#refusals.note(limit.name, subject, routeKeyOf(route));
    }
    if (usedUp.length > 0) throw tooManyRequests(usedUp);
    await this.#refusals.flushDue();
    return limitHeaders(standings);
  }
}

/** @throws Problem 503 when the store does not answer. */
async function answered<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw error instanceof CountersUnavailable ? cannotCount(error) : error;
  }
}

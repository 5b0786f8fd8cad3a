import type { Cluster } from './cluster.ts';
import type { ClusterState } from './cluster-state.ts';
import { answers, type PromotionStep, promoteCluster, runningOf } from './global-promotion.ts';
import type { Instance } from './instance.ts';
import { isStreaming } from './standby.ts';

/** How long a secondary may take to begin to stream before it is said not to, in milliseconds. */
const streamingPatienceMs = 2000;

/** What a cluster asks of the global database that it is a member of. */
export interface GlobalTies {
  /** The server that the standbys of a secondary follow. @throws when there is none. */
  writerFor(secondary: ClusterState): Instance;
  /** Tells that a cluster has another writer, or has its writer back. */
  writerChanged(cluster: ClusterState): void;
}

/** A promotion across the clusters of a global database. */
export interface GlobalPromotion {
  from: string;
  to: string;
  /** Whether it is a failover; else it is a switchover, which loses nothing. */
  allowDataLoss: boolean;
}

/**
 * Aurora global databases: clusters said to be in several regions, one of which takes writes. The instances of the others are
 * standbys that stream from its writer.
 */
export class GlobalDatabases implements GlobalTies {
  readonly #clusters: () => Iterable<Cluster>;
  readonly #promotions = new Map<string, GlobalPromotion & { done: Promise<void> }>();

  /** @param clusters gives all that there are. */
  constructor(clusters: () => Iterable<Cluster>) {
    this.#clusters = clusters;
  }

  membersOf(identifier: string): Cluster[] {
    return [...this.#clusters()].filter(({ state }) => state.global?.identifier === identifier);
  }

  /** The promotion that goes on in a global database. */
  promotionOf(identifier: string): GlobalPromotion | undefined {
    return this.#promotions.get(identifier);
  }

  writerFor({ global }: ClusterState): Instance {
    const writer = this.#primaryOf(global?.identifier ?? '')?.head;
    if (writer === undefined) throw new Error(`The global database ${global?.identifier} has no writer.`);
    return writer;
  }

  writerChanged({ global }: ClusterState): void {
    if (global === undefined) return;
    for (const member of this.membersOf(global.identifier)) if (member.secondary) member.follow();
  }

  /**
   * What a new member has of the global database it joins: the first one is the primary, the others have the primary's database
   * and users.
   *
   * @throws when another member is in the same region.
   */
  joining(
    identifier: string,
    region: string | undefined,
  ): Pick<ClusterState, 'global'> &
    Partial<Pick<ClusterState, 'database' | 'masterUsername' | 'masterPassword'>> {
    const primary = this.#primaryOf(identifier);
    if (primary === undefined) return { global: { identifier, primary: true } };
    const neighbour = this.membersOf(identifier).find(({ state }) => state.region === region);
    if (neighbour !== undefined) {
      throw new Error(`${neighbour.state.identifier} of the global database ${identifier} is there already.`);
    }
    const { database, masterUsername, masterPassword } = primary.state;
    return { global: { identifier, primary: false }, database, masterUsername, masterPassword };
  }

  /**
   * Why a cluster cannot be promoted.
   *
   * @param target identifier of a secondary.
   * @returns undefined when it can.
   */
  async obstacle(identifier: string, target: string, allowDataLoss: boolean): Promise<string | undefined> {
    const [from, to] = [this.#primaryOf(identifier), this.#member(identifier, target)];
    if (from === to) return `${target} is the primary of ${identifier}.`;
    const successor = await runningOf(to);
    if (successor === undefined) return `No instance of ${target} could take over.`;
    if (allowDataLoss) return undefined;
    if (from?.head === undefined || !(await answers(from.head))) {
      return `The primary of ${identifier} is not available.`;
    }
    if (!(await isStreaming(successor, streamingPatienceMs))) {
      return `${successor.identifier} of ${target} does not replicate.`;
    }
    return undefined;
  }

  /**
   * Makes a secondary the primary; see {@link promoteCluster}.
   *
   * @param target identifier of a secondary.
   * @throws when another promotion goes on, and for an {@link obstacle}.
   */
  promote(
    identifier: string,
    target: string,
    allowDataLoss: boolean,
    onStep: (step: PromotionStep) => void = () => {},
  ): Promise<void> {
    const from = this.#primaryOf(identifier);
    if (from === undefined) throw new Error(`There is no global database ${identifier}.`);
    if (this.#promotions.has(identifier)) throw new Error(`${identifier} is being promoted already.`);
    const to = this.#member(identifier, target);
    const done = this.obstacle(identifier, target, allowDataLoss)
      .then((obstacle) => {
        if (obstacle !== undefined) throw new Error(obstacle);
        return promoteCluster(identifier, from, to, allowDataLoss, onStep);
      })
      .finally(() => this.#promotions.delete(identifier));
    this.#promotions.set(identifier, { from: from.state.identifier, to: target, allowDataLoss, done });
    return done;
  }

  /** Waits until no promotion goes on. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#promotions.values()].map(({ done }) => done));
  }

  #primaryOf(identifier: string): Cluster | undefined {
    return this.membersOf(identifier).find(({ secondary }) => !secondary);
  }

  #member(identifier: string, cluster: string): Cluster {
    const found = this.membersOf(identifier).find(({ state }) => state.identifier === cluster);
    if (found === undefined) throw new Error(`The global database ${identifier} has no cluster ${cluster}.`);
    return found;
  }
}

import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import type * as z from 'zod';
import { type EventDetail, type EventName, type EventSource, platformEvents } from '../events.ts';
import { DependencyError, onDependency } from './dependency.ts';
import type { InvocationContext } from './http-handler.ts';

/** Tells the platform what has happened, as events on its bus. */
export class Announcer {
  readonly #client: EventBridgeClient;
  readonly #bus: string;

  constructor(client: EventBridgeClient, bus: string) {
    this.#client = client;
    this.#bus = bus;
  }

  /**
   * Puts one event on the bus, for callers that are run again when it fails.
   *
   * @throws DependencyError when the bus did not take it; ZodError when `detail` is not what the registry says.
   */
  async announce<S extends EventSource, N extends EventName<S>>(
    source: S,
    name: N,
    detail: EventDetail<S, N>,
  ): Promise<void> {
    const schemas: Readonly<Record<string, z.ZodType<{ at: string }>>> = platformEvents[source];
    const parsed = schemas[name]?.parse(detail);
    if (parsed === undefined) throw new Error(`${source} has no event ${name}`);
    const entry = {
      EventBusName: this.#bus,
      Source: source,
      DetailType: name,
      Detail: JSON.stringify(parsed),
      Time: new Date(parsed.at),
    };
    const { FailedEntryCount = 0, Entries } = await onDependency('EventBridge', `PutEvents ${name}`, () =>
      this.#client.send(new PutEventsCommand({ Entries: [entry] })),
    );
    if (FailedEntryCount > 0) {
      throw new DependencyError(
        `EventBridge did not take ${name}: ${Entries?.[0]?.ErrorMessage ?? 'unknown'}`,
      );
    }
  }

  /**
   * The same for callers whose work is done and must not fail any more. Never throws: a failure is logged, and counted
   * by the metric `AnnouncementsFailed`.
   *
   * @returns whether the bus took it.
   */
  async tryAnnounce<S extends EventSource, N extends EventName<S>>(
    { log, metrics }: Pick<InvocationContext, 'log' | 'metrics'>,
    source: S,
    name: N,
    detail: EventDetail<S, N>,
  ): Promise<boolean> {
    try {
      await this.announce(source, name, detail);
      return true;
    } catch (error) {
      log.error('An event was not announced', { source, event: name, error });
      metrics.addMetric('AnnouncementsFailed', MetricUnit.Count, 1);
      return false;
    }
  }
}

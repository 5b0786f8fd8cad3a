import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { type BusEvent, type BusEventName, busEvents, eventSource } from './bus-events.ts';
import { DependencyError, onDependency } from './errors.ts';

/** Tells the platform what became of a backup or a restore, as events on its bus. */
export class Announcer {
  readonly #client: EventBridgeClient;
  readonly #bus: string;

  constructor(client: EventBridgeClient, bus: string) {
    this.#client = client;
    this.#bus = bus;
  }

  /** @throws DependencyError when the bus did not take it. */
  async announce<N extends BusEventName>(name: N, detail: BusEvent<N>): Promise<void> {
    const entry = {
      EventBusName: this.#bus,
      Source: eventSource,
      DetailType: name,
      Detail: JSON.stringify(busEvents[name].parse(detail)),
      Time: new Date(detail.at),
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
}

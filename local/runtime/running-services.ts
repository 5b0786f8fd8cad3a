import type { Service } from '../service.ts';

interface Entry {
  service: Service;
  /** Settles when its start has come to an end, one way or another. */
  settled: Promise<void>;
}

/**
 * Starts parts in the order asked for, and stops them in the reverse order. A part whose start is
 * under way when everything is to stop is stopped as soon as that start has come to its end, and
 * nothing starts any more.
 */
export class RunningServices {
  readonly #entries: Entry[] = [];
  #closed = false;

  /** Starts one part after the other. @throws when one does not start, or everything is to stop. */
  async start(services: readonly Service[]): Promise<void> {
    for (const service of services) {
      this.#requireOpen();
      const starting = service.start();
      this.#entries.push({ service, settled: starting.catch(() => undefined) });
      await starting;
    }
    this.#requireOpen();
  }

  /** Stops everything, the last started first. `report` takes what did not stop cleanly. */
  async stop(report: (message: string) => void): Promise<void> {
    this.#closed = true;
    for (const { service, settled } of this.#entries.splice(0).reverse()) {
      await settled;
      await service.stop().catch((error: unknown) => {
        report(`${service.name} did not stop cleanly: ${error instanceof Error ? error.message : error}`);
      });
    }
  }

  #requireOpen(): void {
    if (this.#closed) throw new Error('The local runtime is stopping.');
  }
}

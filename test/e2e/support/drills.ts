import { expect } from '@jest/globals';
import { type Drill, drillSchema } from '../../../functions/recovery/drill/model.ts';
import { type DrillReport, drillReportSchema } from '../../../functions/recovery/drill/report.ts';
import { waitFor } from '../../support/wait-for.ts';
import type { ApiClient } from './api.ts';
import { root } from './recovery.ts';

/** Drills of the shared platform. */
export class Drills {
  readonly #call: ApiClient;

  constructor(call: ApiClient) {
    this.#call = call;
  }

  async start(body: unknown): Promise<string> {
    const { status, body: answer, headers } = await this.#call('POST', `${root}/test`, { body });
    expect({ status, answer }).toMatchObject({ status: 202 });
    const { id } = drillSchema.parse(answer);
    expect(headers.get('location')).toBe(`${root}/test/${id}`);
    return id;
  }

  async read(id: string): Promise<Drill> {
    return drillSchema.parse((await this.#call('GET', `${root}/test/${id}`)).body);
  }

  ended(id: string, timeoutMs = 120_000): Promise<Drill> {
    return waitFor(
      async () => {
        const drill = await this.read(id);
        return ['completed', 'failed', 'canceled'].includes(drill.state) && drill;
      },
      { what: `the drill ${id} to end`, timeoutMs, intervalMs: 300 },
    );
  }

  until(id: string, what: string, isThere: (drill: Drill) => boolean): Promise<Drill> {
    return waitFor(
      async () => {
        const drill = await this.read(id);
        if (isThere(drill)) return drill;
        if (drill.finishedAt !== null) throw new Error(`It is ${drill.state}: ${drill.error?.message ?? ''}`);
        return false;
      },
      { what: `${what} of the drill ${id}`, timeoutMs: 60_000, intervalMs: 100 },
    );
  }

  async take(body: unknown): Promise<Drill> {
    const drill = await this.ended(await this.start(body));
    expect({ state: drill.state, error: drill.error }).toEqual({ state: 'completed', error: null });
    return drill;
  }

  async report(id: string): Promise<DrillReport> {
    const { status, body } = await this.#call('GET', `${root}/test/${id}/report`);
    expect({ status, body }).toMatchObject({ status: 200 });
    return drillReportSchema.parse(body);
  }
}

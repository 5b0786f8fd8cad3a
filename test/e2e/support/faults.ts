import * as z from 'zod';
import { type Fault, faultSchema } from '../../../local/aws/faults.ts';
import { callControl, clearFaults, injectFault, listFaults } from '../../../local/control/control-client.ts';
import { controlOf } from './aws.ts';
import type { LocalJson } from './local-platform.ts';

const killsSchema = z.object({
  killed: z.array(z.object({ functionName: z.string(), requestId: z.string().optional() })),
  planned: z.number(),
});
export type Kills = z.output<typeof killsSchema>;

/** When a function's process is killed; see `local/lambda/faults.ts`. */
export type KillPlan =
  | { when: 'next-invocation'; afterMs?: number }
  | { when: 'after'; afterMs?: number }
  | { when: 'log-line'; matching: string };

/** What a test breaks in the running platform. `mend` ends all of it. */
export class Breakage {
  readonly #local: LocalJson;

  constructor(local: LocalJson) {
    this.#local = local;
  }

  /** Lets calls to the emulated AWS fail. */
  async inject(...faults: readonly Fault[]): Promise<void> {
    for (const fault of faults) await injectFault(controlOf(this.#local), fault);
  }

  /** Faults that have not struck as often as they may. */
  async left(): Promise<Fault[]> {
    const answer = await listFaults(controlOf(this.#local));
    return z.object({ faults: z.array(faultSchema) }).parse(answer).faults;
  }

  /** Plans the kill of the process of the one function whose name holds `part`. */
  async kill(part: string, plan: KillPlan): Promise<void> {
    await callControl(controlOf(this.#local), 'lambda/kill', { function: part, plan });
  }

  /** What was killed since the last `mend`, and how many kills have not come to it. */
  async kills(): Promise<Kills> {
    return killsSchema.parse(await callControl(controlOf(this.#local), 'lambda/kills', {}));
  }

  async mend(): Promise<void> {
    await clearFaults(controlOf(this.#local));
    await callControl(controlOf(this.#local), 'lambda/spare', {});
  }
}

import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { synthesize } from '../../../../local/runtime/synth.ts';
import { Subject } from '../../../e2e/support/failover-subject.ts';
import { type LocalJson, LocalPlatform } from '../../../e2e/support/local-platform.ts';
import { passableDirectory } from '../../../support/temporary-directory.ts';

const projectDirectory = join(import.meta.dirname, '../../../..');
const cdkJsonSchema = z.object({
  context: z.object({
    mainstay: z.object({ environments: z.object({ local: z.record(z.string(), z.unknown()) }) }),
  }),
});

/**
 * Settings by which a scenario takes seconds and not minutes: probes every ten seconds, no cooldown between runs, and a writer that
 * comes and goes as often as it likes unless a scenario is about just that.
 */
export const quick = {
  enabled: true,
  probeIntervalSeconds: 10,
  probeTimeoutMs: 2000,
  cooldownMinutes: 0,
  flapping: { transitions: 100, windowMinutes: 1 },
};

/** A platform of its own. */
export class Deployment extends Subject {
  readonly #platform: LocalPlatform;
  readonly #parent: string;

  private constructor(
    platform: LocalPlatform,
    parent: string,
    ...subject: [local: LocalJson, table: string, ca: string]
  ) {
    super(...subject);
    this.#platform = platform;
    this.#parent = parent;
  }

  /**
   * Starts a local runtime.
   *
   * @param settings of the environment `local`, beside those of cdk.json.
   * @param prepare is given the directory of its state before it starts, and may add settings.
   */
  static async start(
    settings: Record<string, unknown>,
    prepare: (stateDirectory: string) => Promise<Record<string, unknown>> = async () => ({}),
  ): Promise<Deployment> {
    const parent = await passableDirectory('mainstay-failover-');
    const state = join(parent, '.mainstay');
    const { context } = cdkJsonSchema.parse(
      JSON.parse(await readFile(join(projectDirectory, 'cdk.json'), 'utf8')),
    );
    const local = { ...context.mainstay.environments.local, ...settings, ...(await prepare(state)) };
    const assembly = join(parent, 'cdk.out');
    await synthesize({
      projectDirectory,
      outputDirectory: assembly,
      context: { environment: 'local', mainstay: { environments: { local } } },
    });
    const platform = await LocalPlatform.start(state, ['--assembly', assembly]);
    const facts = await platform.localJson();
    return new Deployment(platform, parent, facts, ...(await Subject.factsOf(facts)));
  }

  async stop(): Promise<void> {
    await this.#platform.stop();
    await rm(this.#parent, { recursive: true, force: true });
  }

  get output(): string {
    return this.#platform.output;
  }
}

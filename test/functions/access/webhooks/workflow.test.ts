import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { App, Duration, Stack } from 'aws-cdk-lib';
import { webhookFunctions } from '../../../../functions/access/webhooks/contract.ts';
import { attemptWorkSchema } from '../../../../functions/access/webhooks/workflow.ts';
import { webhookDefinition } from '../../../../lib/access/webhook-workflow.ts';
import { loadConfig } from '../../../../lib/config/config.ts';
import { BundledFunction } from '../../../../lib/constructs/function.ts';
import { functionArn, Harness, thrown } from '../../../local/step-functions/harness.ts';
import { traceparent } from './support.ts';

const directory = mkdtempSync(join(tmpdir(), 'mainstay-webhook-workflow-'));
const input = {
  webhookId: '01K9Z3V5Q0J8X7N2T4R6M1C9HB',
  deliveryId: '01K9Z4A1S5F3D7G9H2J4K6M8NP',
  run: 1,
  attempt: 1,
  traceparent,
};
let definition: unknown;
let harness: Harness;
let started: number[];

beforeAll(() => {
  const bundle = join(directory, 'bundle');
  mkdirSync(bundle);
  writeFileSync(join(bundle, 'index.mjs'), 'export const handler = async () => ({});\n');
  const stack = new Stack(new App({ analyticsReporting: false, outdir: join(directory, 'out') }), 'S');
  const fn = new BundledFunction(stack, 'Deliver', {
    settings: {
      environment: 'dev',
      config: loadConfig('dev', { environments: { dev: {} } }),
      bundles: { directory: () => bundle, revisionOf: () => 'revision' },
    },
    contract: { name: 'access', title: '', description: '', routes: {}, functions: webhookFunctions },
    name: 'deliver-webhook',
    description: 'Delivers',
    memoryMiB: 256,
    timeout: Duration.seconds(45),
  });
  const text = JSON.stringify(stack.resolve(webhookDefinition(fn)));
  definition = JSON.parse(
    text
      .replaceAll(/\{"Fn::GetAtt":\["Deliver\w+","Arn"\]\}/g, JSON.stringify(functionArn('deliver')))
      .replaceAll(/\{"Fn::Join":\["",\["arn:",\{"Ref":"AWS::Partition"\},"([^"]+)"\]\]\}/g, '"arn:aws$1"'),
  );
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));
beforeEach(() => {
  harness = new Harness();
  started = [];
});
afterEach(() => harness.dispose());

/** Lets the function answer as it would: `again` after each of these waits, and an end after the last. */
function answering(waits: readonly number[]): void {
  harness.functions.deliver = (payload) => {
    const work = attemptWorkSchema.parse(payload);
    started.push(harness.clock.now());
    const waitSeconds = waits[work.attempt - 1];
    if (waitSeconds === undefined) return { ...work, outcome: 'ended', waitSeconds: 0 };
    return { ...work, attempt: work.attempt + 1, outcome: 'again', waitSeconds };
  };
}

describe('the workflow of a delivery', () => {
  it('makes the attempts that the function asks for, with the waits in between, and ends', async () => {
    const waits = [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400];
    answering(waits);
    const record = await harness.run(definition, input);
    expect(record.status).toBe('SUCCEEDED');
    const between = started.slice(1).map((time, index) => (time - (started[index] ?? 0)) / 1000);
    expect(between).toEqual(waits);
  });

  it('lasts as long as receivers can make it, and no longer than its limit', async () => {
    answering([10, 600, 3600, 14400, 36000, 72000, 100800, 144000, 172800]);
    expect((await harness.run(definition, input)).status).toBe('SUCCEEDED');
    answering([604_800, 604_800]);
    expect((await harness.run(definition, { ...input, run: 2 })).status).toBe('TIMED_OUT');
  });

  it('makes the same attempt again when the function fails, seldom, for more than an hour', async () => {
    answering([]);
    const well = harness.functions.deliver;
    const failed: number[] = [];
    harness.functions.deliver = (payload, call) => {
      failed.push(harness.clock.now());
      if (failed.length < 6 || well === undefined) return thrown('DependencyError', 'no table');
      return well(payload, call);
    };
    expect((await harness.run(definition, input)).status).toBe('SUCCEEDED');
    const between = failed.slice(1).map((time, index) => (time - (failed[index] ?? 0)) / 1000);
    expect(between).toEqual([30, 120, 480, 1920, 3600]);
    harness.functions.deliver = () => thrown('DependencyError', 'no table');
    expect(await harness.run(definition, { ...input, run: 2 })).toMatchObject({
      status: 'FAILED',
      error: 'DependencyError',
    });
  });
});

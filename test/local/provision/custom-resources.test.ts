import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import { CustomResources } from '../../../local/provision/custom-resources.ts';

const eventSchema = z.looseObject({ ResponseURL: z.url(), RequestId: z.string(), RequestType: z.string() });

describe('custom resources', () => {
  let directory: string;
  let events: z.output<typeof eventSchema>[];
  let answer: Record<string, unknown>;
  const opened: CustomResources[] = [];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'custom-'));
    events = [];
    answer = { Status: 'SUCCESS', PhysicalResourceId: 'physical', Data: { Arn: 'arn' } };
  });
  afterEach(async () => {
    for (const resources of opened.splice(0)) await resources.stop();
    await rm(directory, { recursive: true, force: true });
  });

  async function open(): Promise<CustomResources> {
    const resources = new CustomResources({
      file: join(directory, 'custom.json'),
      invoke: async (_, given) => {
        const event = eventSchema.parse(given);
        events.push(event);
        const body = JSON.stringify({ ...answer, RequestId: event.RequestId });
        expect((await fetch(event.ResponseURL, { method: 'PUT', body })).status).toBe(200);
      },
    });
    opened.push(resources);
    await resources.start();
    return resources;
  }
  const request = (size: number) => ({
    stackId: 'stack',
    logicalId: 'Thing',
    type: 'Custom::Thing',
    properties: {
      ServiceToken: 'arn:aws:lambda:us-east-1:000000000000:function:f',
      Size: size,
      Deep: { on: true },
    },
  });

  it('creates once, and hands properties over as text', async () => {
    expect(await (await open()).ensure(request(1))).toMatchObject({
      physicalResourceId: 'physical',
      data: { Arn: 'arn' },
    });
    expect(events).toMatchObject([
      { RequestType: 'Create', ResourceProperties: { Size: '1', Deep: { on: 'true' } } },
    ]);
  });

  it('does nothing at a later start while the properties are the same, and updates when they changed', async () => {
    await (await open()).ensure(request(1));
    const later = await open();
    expect(await later.ensure(request(1))).toMatchObject({ data: { Arn: 'arn' } });
    expect(events).toHaveLength(1);
    await later.ensure(request(2));
    expect(events[1]).toMatchObject({
      RequestType: 'Update',
      PhysicalResourceId: 'physical',
      OldResourceProperties: { Size: '1' },
    });
  });

  it('deletes what no template asks for any more', async () => {
    await (await open()).ensure(request(1));
    const later = await open();
    await later.removeOthers();
    expect(events[1]).toMatchObject({
      RequestType: 'Delete',
      PhysicalResourceId: 'physical',
      LogicalResourceId: 'Thing',
    });
    await later.removeOthers();
    expect(events).toHaveLength(2);
  });

  it('fails with the reason the function gives, and creates again at the next start', async () => {
    answer = { Status: 'FAILED', Reason: 'no such shard' };
    await expect((await open()).ensure(request(1))).rejects.toThrow('no such shard');
    answer = { Status: 'SUCCESS' };
    await (await open()).ensure(request(1));
    expect(events.map(({ RequestType }) => RequestType)).toEqual(['Create', 'Create']);
  });

  it('does not wait longer than the resource’s own timeout', async () => {
    const silent = new CustomResources({
      file: join(directory, 'silent.json'),
      invoke: async () => undefined,
    });
    opened.push(silent);
    await silent.start();
    const timed = { ...request(1), properties: { ...request(1).properties, ServiceTimeout: 0.05 } };
    await expect(silent.ensure(timed)).rejects.toThrow('did not answer within');
  });
});

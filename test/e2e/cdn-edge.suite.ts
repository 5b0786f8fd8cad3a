import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { beforeAll, describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import { resultSchema } from '../../functions/cdn/warming/model.ts';
import { waitFor } from '../support/wait-for.ts';
import { awsConfig, tableNamed } from './support/aws.ts';
import { type EdgeStory, edgeStory } from './support/edge-story.ts';

/** Last of all: what is waited for here was begun minutes ago. */
describe('the edge, left to itself', () => {
  let story: EdgeStory;
  beforeAll(async () => {
    story = await edgeStory();
  });
  const patiently = { timeoutMs: 150_000, intervalMs: 500 };

  it('forgets what has changed in the bucket', async () => {
    const { view, changed } = story;
    await waitFor(async () => (await view(changed)).text === 'second', { what: 'the purge', ...patiently });
  });

  it('counts who browses, path by path', async () => {
    const { call, changed, begunAt } = story;
    const from = new Date(begunAt.getTime() - 3_600_000).toISOString();
    const pathsSchema = z.looseObject({
      paths: z.looseObject({
        items: z.array(z.looseObject({ key: z.string(), requests: z.number(), hits: z.number() })),
      }),
    });
    const ofPath = async () => {
      const { body } = await call('GET', `/api/cdn/analytics/paths?from=${from}&limit=1000`);
      return pathsSchema.parse(body).paths.items.find(({ key }) => key === changed);
    };
    const found = await waitFor(async () => ((await ofPath())?.hits ?? 0) >= 1 && (await ofPath()), {
      ...{ what: 'the log of the edge to be counted', ...patiently },
    });
    expect(found.requests).toBeGreaterThanOrEqual(2);
  });

  it('is warmed when a schedule is due, until that is removed', async () => {
    const { local, call, schedule, scheduled } = story;
    const client = DynamoDBDocumentClient.from(new DynamoDBClient(awsConfig(local)));
    const TableName = await tableNamed(local, 'Cdn');
    const warmingSchema = z.looseObject({
      id: z.string(),
      state: z.string(),
      scheduleId: z.string().optional(),
    });
    const id = await waitFor(
      async () => {
        const { Items = [] } = await client.send(
          new QueryCommand({
            ...{ TableName, IndexName: 'gsi1', KeyConditionExpression: 'gsi1pk = :all' },
            ...{ ExpressionAttributeValues: { ':all': 'WARMINGS' }, ScanIndexForward: false },
          }),
        );
        const own = z
          .array(warmingSchema)
          .parse(Items)
          .find(({ scheduleId }) => scheduleId === schedule.id);
        return own?.state === 'completed' && own.id;
      },
      { what: 'the warming of the schedule', ...patiently },
    );
    const { body } = await call('GET', `/api/cdn/warming/${id}/results`);
    expect(
      z
        .object({ results: z.array(resultSchema) })
        .loose()
        .parse(body).results,
    ).toMatchObject([{ path: scheduled, status: 200, error: null, bytes: 'content'.length }]);
    const where = `/api/cdn/warming/schedules/${schedule.id}`;
    expect(await call('DELETE', where)).toMatchObject({ status: 204 });
    expect(await call('GET', where)).toMatchObject({ status: 404 });
  });
});

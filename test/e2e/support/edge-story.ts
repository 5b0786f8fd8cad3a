import { randomUUID } from 'node:crypto';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type * as z from 'zod';
import { statusSchema } from '../../../functions/cdn/assets/model.ts';
import { scheduleSchema } from '../../../functions/cdn/warming/schedules/model.ts';
import { type ApiClient, apiClient } from './api.ts';
import { awsConfig, bucketNamed } from './aws.ts';
import type { LocalJson } from './local-platform.ts';
import { sharedPlatform } from './shared-platform.ts';

/** What the edge does by itself within a minute or two. It is begun early, and looked at when other tests have run. */
export interface EdgeStory {
  readonly local: LocalJson;
  readonly call: ApiClient;
  /** A path whose content has changed from `first` to `second` while the edge had it. */
  readonly changed: string;
  /** A path that a schedule warms every minute, and where that schedule is. */
  readonly scheduled: string;
  readonly schedule: z.output<typeof scheduleSchema>;
  readonly begunAt: Date;
  /** Asks as a viewer; the local edge speaks HTTP as well. */
  readonly view: (path: string) => Promise<{ text: string; cache: string | null }>;
}

let begun: Promise<EdgeStory> | undefined;

/** Begins it, the first time. */
export const edgeStory = (): Promise<EdgeStory> => {
  begun ??= begin();
  return begun;
};

async function begin(): Promise<EdgeStory> {
  const local = await sharedPlatform();
  const call = apiClient(local);
  const { domain } = statusSchema.parse((await call('GET', '/api/cdn/status')).body);
  const s3 = new S3Client({ ...awsConfig(local), forcePathStyle: true });
  const Bucket = await bucketNamed(local, 'assets');
  const put = (path: string, Body: string) =>
    s3.send(new PutObjectCommand({ Bucket, Key: path.slice(1), Body, ContentType: 'text/plain' }));
  const view = async (path: string) => {
    const response = await fetch(`http://${domain}${path}`, { headers: { 'accept-encoding': 'identity' } });
    return { text: await response.text(), cache: response.headers.get('x-cache') };
  };
  const folder = `/media/by-itself-${randomUUID()}`;
  const [changed, scheduled] = [`${folder}/changed.txt`, `${folder}/scheduled.txt`];
  const begunAt = new Date();
  await put(scheduled, 'content');
  await put(changed, 'first');
  await view(changed);
  await view(changed);
  await put(changed, 'second');
  const body = { expression: 'rate(1 minute)', paths: [scheduled], encodings: ['identity'] };
  const made = await call('POST', '/api/cdn/warming/schedule', { body });
  const schedule = scheduleSchema.parse(made.body);
  return { local, call, changed, scheduled, schedule, begunAt, view };
}

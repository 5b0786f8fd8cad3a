import { z } from 'zod';
import {
  type Backup,
  backupSchema,
  backupSummarySchema,
  operationSchema,
} from '../../functions/recovery/model.ts';
import { ApiClient, ApiError } from '../api-client.ts';
import type { Connection } from '../connection.ts';
import { createProgressBar, type ProgressOutput } from '../progress-bar.ts';
import { formatTable } from '../table.ts';
import { formatBytes, formatDuration } from '../units.ts';
import { flipBit } from './flip-bit.ts';

const root = '/api/disaster-recovery';
const acceptedSchema = z.looseObject({ id: z.string() });
const pageSchema = z.object({ backups: z.array(backupSummarySchema) });

/**
 * Walks through the main job as an operator would, over the API of a running platform: a backup,
 * its verification, one corrupted bit found and named, and the deletion. Leaves no backup behind.
 *
 * @throws when a step does not come out as it should.
 */
export async function runDemo(connection: Connection, output: ProgressOutput): Promise<void> {
  const api = new ApiClient(connection);
  const say = (text: string) => void output.write(`${text}\n`);
  say(`\nMainstay at ${connection.baseUrl}\n`);

  const started = await api.call('POST', `${root}/backup`, acceptedSchema, {});
  try {
    const backup = await followBackup(api, started.id, output);
    say('');
    say(await listing(api));
    say('');
    await verify(api, backup.id, output, 'verify  ', 0);
    if (connection.aws !== undefined) {
      const restore = await flipBit(connection.aws, backup);
      say(`\none bit of ${restore.object} is flipped on disk`);
      try {
        await verify(api, backup.id, output, 'verify  ', 1);
      } finally {
        await restore.undo();
      }
    }
    say('');
    say(summary(backup));
  } finally {
    await removeBackup(api, started.id);
  }
  say(`\nbackup ${started.id} is deleted; everything is as it was\n`);
}

async function followBackup(api: ApiClient, id: string, output: ProgressOutput): Promise<Backup> {
  const bar = createProgressBar(output, 'backup  ');
  const backup = await api.follow(`${root}/backups/${id}`, backupSchema, ({ progress }) => {
    const { chunksDone, chunksTotal, bytesRead, bytesPerSecond, stage } = progress;
    const fraction = chunksTotal === null ? undefined : chunksDone / Math.max(1, chunksTotal);
    bar.update(fraction, `${stage}, ${formatBytes(bytesRead)} at ${formatBytes(bytesPerSecond)}/s`);
  });
  if (backup.state !== 'completed') {
    throw new Error(`The backup ${id} ${backup.state}: ${backup.error?.message ?? 'no cause given'}`);
  }
  bar.end(`backup   completed and read back in ${formatDuration(backup.durationMs ?? 0)}`);
  return backup;
}

async function verify(
  api: ApiClient,
  backupId: string,
  output: ProgressOutput,
  title: string,
  expected: number,
) {
  const bar = createProgressBar(output, title);
  const { id } = await api.call('POST', `${root}/encryption/verify`, acceptedSchema, { backupId });
  const operation = await api.follow(
    `${root}/encryption/operations/${id}`,
    operationSchema,
    ({ progress }) => {
      const { objectsDone, objectsTotal, bytesRead } = progress;
      bar.update(
        objectsTotal === null ? undefined : objectsDone / Math.max(1, objectsTotal),
        formatBytes(bytesRead),
      );
    },
  );
  if (operation.state !== 'completed') {
    throw new Error(
      `The verification ${id} ${operation.state}: ${operation.error?.message ?? 'no cause given'}`,
    );
  }
  const objects = operation.progress.objectsTotal ?? 0;
  bar.end(`${title} ${objects} objects read back, ${operation.findings.length} wrong`);
  for (const finding of operation.findings) {
    output.write(
      `         ${finding.object}: ${finding.problem}${finding.relation ? ` (${finding.relation})` : ''}\n`,
    );
  }
  if (operation.findingsTotal !== expected) {
    throw new Error(
      `The verification found ${operation.findingsTotal} wrong objects where there are ${expected}.`,
    );
  }
}

async function listing(api: ApiClient): Promise<string> {
  const { backups } = await api.call('GET', `${root}/backups?limit=5`, pageSchema);
  return formatTable(
    [
      { title: 'backup' },
      { title: 'state' },
      { title: 'taken' },
      { title: 'rows', align: 'right' },
      { title: 'stored', align: 'right' },
    ],
    backups.map((backup) => [
      backup.id,
      backup.verified ? `${backup.state}, verified` : backup.state,
      backup.createdAt.slice(0, 19).replace('T', ' '),
      backup.rows?.toLocaleString('en') ?? '',
      backup.sizeBytes === null ? '' : formatBytes(backup.sizeBytes),
    ]),
  );
}

function summary(backup: Backup): string {
  const right = 'right' as const;
  return formatTable(
    [
      { title: 'shard' },
      { title: 'tables', align: right },
      { title: 'rows', align: right },
      { title: 'chunks', align: right },
      { title: 'read', align: right },
      { title: 'stored', align: right },
      { title: 'ratio', align: right },
    ],
    [
      ...backup.shardDetails.map((shard) => [
        shard.shard,
        String(shard.relations ?? ''),
        shard.rows.toLocaleString('en'),
        String(shard.chunksTotal ?? ''),
        formatBytes(shard.bytesRead),
        formatBytes(shard.bytesStored),
        (shard.bytesRead / Math.max(1, shard.bytesStored)).toFixed(2),
      ]),
      [
        `all, in ${formatDuration(backup.durationMs ?? 0)}`,
        '',
        (backup.rows ?? 0).toLocaleString('en'),
        String(backup.progress.chunksTotal ?? ''),
        formatBytes(backup.progress.bytesRead),
        formatBytes(backup.progress.bytesStored),
        (backup.progress.ratio ?? 1).toFixed(2),
      ],
    ],
  );
}

async function removeBackup(api: ApiClient, id: string): Promise<void> {
  const path = `${root}/backups/${id}`;
  const { state } = await api.call('GET', path, backupSchema);
  if (state === 'queued' || state === 'running') {
    await api.call('POST', `${path}/cancel`, acceptedSchema);
    await api.follow(path, backupSchema, () => undefined);
  }
  await api.call('DELETE', `${root}/backup/${id}`, acceptedSchema);
  try {
    for (let polls = 0; polls < 300; polls += 1) {
      await api.follow(path, backupSchema, () => undefined);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`The backup ${id} is still being deleted.`);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
  }
}

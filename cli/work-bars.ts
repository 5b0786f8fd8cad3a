import type { Drill } from '../functions/recovery/drill/model.ts';
import type { Backup, Operation } from '../functions/recovery/model.ts';
import type { Restore } from '../functions/recovery/restore/model.ts';
import { createProgressBar } from './progress-bar.ts';
import type { RecoveryApi } from './recovery-api.ts';
import type { TextOutput } from './terminal.ts';
import { formatBytes, formatDuration } from './units.ts';

/** Where a bar is drawn, and under which title. Without an output nothing is drawn. */
export interface BarOptions {
  output: TextOutput | undefined;
  title: string;
}

/** Shows a backup until it has ended. */
export function watchBackup(api: RecoveryApi, id: string, options: BarOptions): Promise<Backup> {
  return withBar(options, (update) =>
    api.followBackup(id, ({ progress }) => {
      const { chunksDone, chunksTotal, bytesRead, bytesPerSecond, stage, etaMs } = progress;
      update(fractionOf(chunksDone, chunksTotal), detailOf(stage, bytesRead, bytesPerSecond, etaMs));
    }),
  );
}

/** Shows a verification until it has ended. */
export function watchVerification(api: RecoveryApi, id: string, options: BarOptions): Promise<Operation> {
  return withBar(options, (update) =>
    api.followVerification(id, ({ progress: { objectsDone, objectsTotal, bytesRead } }) =>
      update(fractionOf(objectsDone, objectsTotal), bytesRead === 0 ? '' : formatBytes(bytesRead)),
    ),
  );
}

/** Shows a restore until it has ended. */
export function watchRestore(api: RecoveryApi, id: string, options: BarOptions): Promise<Restore> {
  return withBar(options, (update) =>
    api.followRestore(id, ({ progress }) => {
      const { objectsDone, objectsTotal, bytesRestored, bytesPerSecond, stage, etaMs } = progress;
      update(fractionOf(objectsDone, objectsTotal), detailOf(stage, bytesRestored, bytesPerSecond, etaMs));
    }),
  );
}

/** Shows a drill until it has ended. */
export function watchDrill(api: RecoveryApi, id: string, options: BarOptions): Promise<Drill> {
  return withBar(options, (update) =>
    api.followDrill(id, ({ progress }) => {
      const { stage, objectsDone, objectsTotal, bytesRestored, checksDone, checksTotal } = progress;
      // Of a restore, loading takes about as long as all that follows.
      const restored = fractionOf(objectsDone, objectsTotal) ?? 0;
      const checked = fractionOf(checksDone, checksTotal) ?? 0;
      const amount = bytesRestored === 0 ? [] : [formatBytes(bytesRestored)];
      update(objectsTotal === null ? undefined : (restored + checked) / 2, [stage, ...amount].join(', '));
    }),
  );
}

type Update = (fraction: number | undefined, detail: string) => void;

async function withBar<T>({ output, title }: BarOptions, run: (update: Update) => Promise<T>): Promise<T> {
  if (output === undefined) return run(() => {});
  const bar = createProgressBar(output, title);
  try {
    return await run((fraction, detail) => bar.update(fraction, detail));
  } finally {
    bar.end();
  }
}

function fractionOf(done: number, total: number | null): number | undefined {
  return total === null ? undefined : done / Math.max(1, total);
}

function detailOf(stage: string, bytes: number, bytesPerSecond: number, etaMs: number | null): string {
  const amount = bytes === 0 ? [] : [formatBytes(bytes), `${formatBytes(bytesPerSecond)}/s`];
  const left = etaMs === null || etaMs < 1000 ? [] : [`${formatDuration(etaMs)} left`];
  return [stage, ...amount, ...left].join(', ');
}

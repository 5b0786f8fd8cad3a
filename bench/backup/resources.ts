import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleScript } from '../measure/bundle.ts';
import { BenchDatabase } from './database.ts';
import { describeTools, findTools, type Tools } from './peers/tools.ts';
import { BenchStore } from './store.ts';

/** What a suite of rows works with. */
export interface Resources {
  tools: Tools;
  database: BenchDatabase;
  store: BenchStore;
  /** For files of this run. */
  directory: string;
  /** The bundled script that our own lanes run. */
  laneScript: string;
  /** What a report says of them. */
  setting: string[];
}

/**
 * Opens all of it; it is gone when `stack` is disposed of.
 *
 * @param lane path of the script that our own lanes run.
 */
export async function openResources(stack: AsyncDisposableStack, lane: string): Promise<Resources> {
  const tools = await findTools();
  const directory = stack.adopt(await mkdtemp(join(tmpdir(), 'mainstay-bench-')), (path) =>
    rm(path, { recursive: true, force: true }),
  );
  const database = stack.adopt(await BenchDatabase.start(), (started) => started.close());
  const store = stack.adopt(await BenchStore.start(), (started) => started.close());
  const laneScript = await bundleScript(lane, directory);
  const found = describeTools(tools);
  const setting = [`PostgreSQL ${database.version}`, ...(found === '' ? [] : [`Peers: ${found}`])];
  return { tools, database, store, directory, laneScript, setting };
}

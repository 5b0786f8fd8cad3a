import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { waitFor } from '../../support/wait-for.ts';
import { onShard } from './databases.ts';
import { type LocalJson, LocalPlatform, readLocalJson } from './local-platform.ts';
import { processesOf } from './processes.ts';

const variable = 'MAINSTAY_TEST_PARENT';

/** Tells the workers where everything of this run is kept. */
export function useParent(directory: string): void {
  process.env[variable] = directory;
}

export function parentDirectory(): string {
  const directory = process.env[variable];
  if (directory === undefined) throw new Error('The end-to-end tests have not been set up.');
  return directory;
}

/** The synthesized app, made once for all. */
export function assemblyOf(parent = parentDirectory()): string {
  return join(parent, 'cdk.out');
}

/**
 * The state of the runtime that all end-to-end files of one worker share. Workers share none: backups of
 * a shard exclude each other, and faults strike whoever comes along.
 */
export function sharedStateDirectory(): string {
  return join(parentDirectory(), `worker-${process.env.JEST_WORKER_ID}`, '.mainstay');
}

export function sharedPlatform(): Promise<LocalJson> {
  return readLocalJson(sharedStateDirectory());
}

/** What it printed while it started. */
export function sharedOutput(): Promise<string> {
  return readFile(outputOf(sharedStateDirectory()), 'utf8');
}

const outputOf = (state: string) => join(dirname(state), 'output.txt');
/** Where it has its temporary files. */
const temporaryOf = (state: string) => join(dirname(state), 'tmp');

/** Puts the synthesized app where a runtime of this state would put it. It then synthesizes nothing. */
export async function placeAssembly(stateDirectory: string): Promise<void> {
  await mkdir(stateDirectory, { recursive: true });
  for (const name of ['cdk.out', 'cdk.out.fingerprint']) {
    await cp(join(parentDirectory(), name), join(stateDirectory, name), { recursive: true });
  }
}

/** Boots the runtime of this worker, unless one of its earlier files has done so. */
export async function startSharedPlatform(): Promise<void> {
  const state = sharedStateDirectory();
  if (await isReady(state)) return;
  await placeAssembly(state);
  await mkdir(temporaryOf(state), { recursive: true });
  const platform = new LocalPlatform(state, [], { npm_lifecycle_event: 'test', TMPDIR: temporaryOf(state) });
  await platform.printed('Stop with Ctrl-C');
  await writeFile(outputOf(state), platform.output);
  platform.release();
  await beatFirst(await readLocalJson(state));
}

/** The row of the heartbeat, before the first probe writes it: so that tables have as many rows at all times. */
async function beatFirst(local: LocalJson): Promise<void> {
  for (const { name } of local.shards) {
    await onShard(local, name, (client) =>
      client.query(
        'INSERT INTO mainstay.heartbeat (shard, epoch, beat, at) VALUES ($1, 1, 0, now()) ON CONFLICT DO NOTHING',
        [name],
      ),
    );
  }
}

/** What a runtime leaves of its state when it has been stopped. */
const kept = ['aws', 'cdk.out', 'cdk.out.fingerprint', 'logs', 'postgres'];

/** Stops the runtimes of all workers. @throws when one leaves a process, a temporary file, or a file of its addresses behind. */
export async function stopPlatforms(): Promise<void> {
  const parent = parentDirectory();
  const states = (await readdir(parent))
    .filter((name) => name.startsWith('worker-'))
    .map((name) => join(parent, name, '.mainstay'));
  await Promise.all(
    states.map(async (state) => {
      const local = await readLocalJson(state).catch(() => undefined);
      if (local !== undefined) askToStop(local.pid);
      await waitFor(async () => (await processesOf(state)).length === 0, {
        what: `the runtime in ${state} to end`,
        intervalMs: 100,
      });
      const left = [...(await readdir(temporaryOf(state))), ...(await readdir(state))];
      const more = left.filter((name) => !kept.includes(name));
      if (more.length > 0) throw new Error(`The runtime in ${state} has left ${more.join(', ')} behind.`);
    }),
  );
}

function askToStop(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM');
  } catch {
    // It has noticed by itself that its worker is gone.
  }
}

async function isReady(stateDirectory: string): Promise<boolean> {
  return (await readLocalJson(stateDirectory).catch(() => undefined)) !== undefined;
}

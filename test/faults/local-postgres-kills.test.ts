import { spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { clearLeftovers } from '../../local/postgres/orphans.ts';
import { type RuntimeProcess, startRuntime } from '../local/postgres/start-runtime.ts';
import { isAlive, listens, query, Sandbox, until } from '../local/postgres/support.ts';

let sandbox: Sandbox;
let runtime: RuntimeProcess;

beforeAll(async () => {
  sandbox = await Sandbox.create();
  await start();
  await sql('CREATE TABLE committed (step int)');
}, 60_000);

afterAll(async () => {
  await runtime.end('SIGTERM');
  expect(await sandbox.processes()).toEqual([]);
  await sandbox.dispose();
});

async function start(): Promise<void> {
  runtime = await startRuntime({ stateDirectory: sandbox.stateDirectory });
}

async function sql(text: string): Promise<Record<string, unknown>[]> {
  const { endpoint, authorityFile } = runtime.description;
  return query(endpoint, { ca: await readFile(authorityFile, 'utf8') }, text);
}

const steps = async () =>
  (await sql('SELECT array_agg(step ORDER BY step) AS steps FROM committed'))[0]?.steps;
const postmaster = () => runtime.description.instances[0]?.pid ?? 0;
const supervisor = async (): Promise<number> =>
  JSON.parse(await readFile(join(sandbox.stateDirectory, 'postgres', 'supervisor.json'), 'utf8')).pid;

describe('PostgreSQL under a runtime that is killed', () => {
  it('is shut down by its supervisor', async () => {
    await sql('INSERT INTO committed VALUES (1)');
    await runtime.end('SIGKILL');
    await until('nothing runs', async () => (await sandbox.processes()).length === 0);
    expect(await listens(runtime.description.endpoint)).toBe(false);
    await start();
    expect(await steps()).toEqual([1]);
  }, 60_000);

  it('is waited for by a runtime that starts at once', async () => {
    await sql('INSERT INTO committed VALUES (2)');
    const before = postmaster();
    await runtime.end('SIGKILL');
    await start();
    expect(await isAlive(before)).toBe(false);
    expect(await steps()).toEqual([1, 2]);
  }, 60_000);

  it('keeps what was committed when everything is killed at once', async () => {
    await sql('INSERT INTO committed VALUES (3)');
    for (const pid of await sandbox.processes()) if (pid !== runtime.pid) process.kill(pid, 'SIGKILL');
    await runtime.end('SIGKILL');
    await start();
    expect(await steps()).toEqual([1, 2, 3]);
  }, 60_000);

  it('stops by itself when the supervisor is killed too', async () => {
    await sql('INSERT INTO committed VALUES (4)');
    process.kill(await supervisor(), 'SIGKILL');
    await runtime.end('SIGKILL');
    await until('nothing runs', async () => (await sandbox.processes()).length === 0);
    await start();
    expect(await steps()).toEqual([1, 2, 3, 4]);
  }, 60_000);

  it('is stopped by the next runtime when everything else is killed', async () => {
    await sql('INSERT INTO committed VALUES (5)');
    const orphan = postmaster();
    process.kill(runtime.pid, 'SIGSTOP');
    const others = (await sandbox.processes()).filter((pid) => pid !== orphan && pid !== runtime.pid);
    // Halted first: none of them is to see another one end, and stop the orphan because of it.
    for (const signal of ['SIGSTOP', 'SIGKILL'] as const) for (const pid of others) process.kill(pid, signal);
    await runtime.end('SIGKILL');
    expect(await isAlive(orphan)).toBe(true);
    await start();
    expect(await isAlive(orphan)).toBe(false);
    expect(await steps()).toEqual([1, 2, 3, 4, 5]);
  }, 60_000);
});

describe('a lock file in a data directory', () => {
  it.each([
    ['its start time differs', (_directory: string) => [1_000_000_000, 'postgres']],
    [
      'it works in another directory',
      (_directory: string) => [Math.round(Date.now() / 1000), 'postgres -D /elsewhere'],
    ],
    ['it is another program', (directory: string) => [Math.round(Date.now() / 1000), `sleep ${directory}`]],
  ])('never costs another process its life: %s', async (_why, facts) => {
    const data = join(sandbox.directory, 'foreign');
    await mkdir(data, { recursive: true });
    const [startedAt, title] = facts(data);
    const script = 'setInterval(() => {}, 1000); console.log()';
    const other = spawn(process.execPath, ['-e', script, String(title)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => other.stdout.once('data', resolve));
    await writeFile(join(data, 'postmaster.pid'), `${other.pid}\n${data}\n${startedAt}\n5432\n`);
    await clearLeftovers(data);
    expect(await isAlive(other.pid ?? 0)).toBe(true);
    await expect(readFile(join(data, 'postmaster.pid'))).rejects.toThrow();
    const ended = new Promise((resolve) => other.once('exit', resolve));
    other.kill('SIGKILL');
    await ended;
  });

  it.each(['', 'nonsense', '0\n', '-1\n', '1\n'])('may hold anything: %j', async (content) => {
    const data = join(sandbox.directory, 'foreign');
    await mkdir(data, { recursive: true });
    await writeFile(join(data, 'postmaster.pid'), content);
    await clearLeftovers(data);
    await expect(readFile(join(data, 'postmaster.pid'))).rejects.toThrow();
  });
});

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { processStartTime } from '../process-identity.ts';
import type { OsUser } from './os-user.ts';
import { waitUntil } from './wait.ts';

export type SupervisorRequest =
  | {
      type: 'start';
      id: string;
      command: string;
      args: string[];
      environment: Record<string, string>;
      /** File that takes the process's output. */
      log: string;
      user?: OsUser | undefined;
    }
  | { type: 'signal'; id: string; signal: NodeJS.Signals };

export type SupervisorEvent =
  | { type: 'started'; id: string; pid: number }
  | { type: 'failed'; id: string; message: string }
  | { type: 'exited'; id: string; code: number | null; signal: NodeJS.Signals | null };

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A process that the supervisor started. */
export interface SupervisedProcess {
  pid: number;
  /** Settles when the process has ended, also when the supervisor itself was killed. */
  exited: Promise<Exit>;
  signal(signal: NodeJS.Signals): void;
}

export type StartRequest = Omit<Extract<SupervisorRequest, { type: 'start' }>, 'type' | 'id'>;

const recordSchema = z.object({ pid: z.number().int(), startedAt: z.string() });

/** How long an earlier supervisor may take to shut its processes down, in milliseconds. */
const earlierPatienceMs = 30_000;

interface Waiting {
  started: (child: { pid: number }) => void;
  failed: (error: Error) => void;
  exited: (exit: Exit) => void;
}

/**
 * Starts processes through one small helper process, which shuts them all down when this process
 * ends in whatever way, `kill -9` included.
 */
export class Supervisor {
  readonly #recordFile: string;
  readonly #waiting = new Map<string, Waiting>();
  #helper: ChildProcess | undefined;
  #lastId = 0;

  /** @param recordFile where the helper's identity is kept, so that a later run can wait for its end. */
  constructor(recordFile: string) {
    this.#recordFile = recordFile;
  }

  /**
   * Waits until the helper of an earlier run that was killed has shut its processes down.
   *
   * @throws when it is still alive after half a minute.
   */
  async waitForEarlier(): Promise<void> {
    const text = await readFile(this.#recordFile, 'utf8').catch(() => undefined);
    if (text === undefined) return;
    const record = recordSchema.safeParse(parseJson(text)).data;
    if (record !== undefined) {
      await waitUntil(
        async () => (await processStartTime(record.pid)) !== record.startedAt,
        earlierPatienceMs,
        `PostgreSQL of an earlier run to stop (process ${record.pid})`,
      );
    }
    await rm(this.#recordFile, { force: true });
  }

  /** Starts a process. @throws when it cannot be started. */
  async start(request: StartRequest): Promise<SupervisedProcess> {
    const helper = await this.#connectedHelper();
    this.#lastId += 1;
    const id = String(this.#lastId);
    return new Promise((resolve, reject) => {
      const exited = new Promise<Exit>((settle) => {
        this.#waiting.set(id, {
          started: ({ pid }) =>
            resolve({ pid, exited, signal: (signal) => this.#send({ type: 'signal', id, signal }) }),
          failed: reject,
          exited: settle,
        });
      });
      helper.send({ type: 'start', id, ...request } satisfies SupervisorRequest);
    });
  }

  /** Ends the helper, and with it whatever still runs. */
  async stop(): Promise<void> {
    const helper = this.#helper;
    this.#helper = undefined;
    if (helper !== undefined && helper.exitCode === null && helper.signalCode === null) {
      const ended = new Promise((resolve) => helper.once('exit', resolve));
      if (helper.connected) helper.disconnect();
      await ended;
    }
    await rm(this.#recordFile, { force: true });
  }

  async #connectedHelper(): Promise<ChildProcess> {
    if (this.#helper?.connected === true) return this.#helper;
    const program = fileURLToPath(new URL('supervisor-main.ts', import.meta.url));
    // It has no use for the argument; whoever looks at the list of processes has.
    const helper = spawn(process.execPath, [program, dirname(this.#recordFile)], {
      cwd: '/',
      detached: true,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: { PATH: process.env.PATH ?? '' },
    });
    this.#helper = helper;
    helper.on('message', (event: SupervisorEvent) => this.#receive(event));
    helper.once('error', () => helper.disconnect());
    helper.once('exit', () => this.#helperEnded());
    await mkdir(dirname(this.#recordFile), { recursive: true });
    const startedAt = await processStartTime(helper.pid ?? 0);
    if (startedAt !== undefined) {
      await writeFile(this.#recordFile, JSON.stringify({ pid: helper.pid, startedAt }), { mode: 0o600 });
    }
    return helper;
  }

  #send(request: SupervisorRequest): void {
    if (this.#helper?.connected === true) this.#helper.send(request, () => {});
  }

  #receive(event: SupervisorEvent): void {
    const waiting = this.#waiting.get(event.id);
    if (event.type === 'started') waiting?.started(event);
    else {
      this.#waiting.delete(event.id);
      if (event.type === 'failed') waiting?.failed(new Error(event.message));
      else waiting?.exited(event);
    }
  }

  #helperEnded(): void {
    for (const waiting of this.#waiting.values()) {
      waiting.failed(new Error('The supervisor of PostgreSQL ended.'));
      waiting.exited({ code: null, signal: null });
    }
    this.#waiting.clear();
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

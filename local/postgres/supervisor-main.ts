/**
 * The program that owns PostgreSQL's processes. It starts and signals what the runtime tells it to,
 * and when the runtime is gone, however that came about, it shuts everything down and ends.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { spawnAs } from './os-user.ts';
import type { SupervisorEvent, SupervisorRequest } from './supervisor.ts';

/** How long a shutdown may take before it is made harder, in milliseconds. */
const patienceMs = 8000;
const shutdownSignals = ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const;

const children = new Map<string, ChildProcess>();

type StartRequest = Extract<SupervisorRequest, { type: 'start' }>;

function start(request: StartRequest): void {
  const log = openSync(request.log, 'a', 0o600);
  const child = spawn(request.command, request.args, {
    cwd: '/',
    env: request.environment,
    stdio: ['ignore', log, log],
    // A group of its own: Ctrl-C in the terminal is for the runtime, which stops things in order.
    detached: true,
    ...spawnAs(request.user),
  });
  closeSync(log);
  children.set(request.id, child);
  child.once('spawn', () => {
    const guard = startGuard(child.pid ?? 0, request);
    child.once('exit', () => guard.kill('SIGKILL'));
    send({ type: 'started', id: request.id, pid: child.pid ?? 0 });
  });
  child.once('error', (error) => {
    if (child.pid !== undefined) return;
    children.delete(request.id);
    send({ type: 'failed', id: request.id, message: error.message });
  });
  child.once('exit', (code, signal) => {
    children.delete(request.id);
    send({ type: 'exited', id: request.id, code, signal });
  });
}

/**
 * Whoever kills all processes of Node kills this one too. The guard is a shell that reads from a pipe
 * which nobody writes to: the pipe ends with this process, and then the guard asks the server to stop.
 */
function startGuard(pid: number, { args, user }: StartRequest): ChildProcess {
  const script = 'read -r _; kill -INT "$1"';
  const guard = spawn('/bin/sh', ['-c', script, 'guard', String(pid), ...args], {
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    ...spawnAs(user),
  });
  // Without a guard, the next runtime stops what it finds.
  guard.once('error', () => {});
  return guard;
}

function send(event: SupervisorEvent): void {
  if (process.connected) process.send?.(event, undefined, undefined, () => {});
}

async function shutDown(): Promise<void> {
  for (const signal of shutdownSignals) {
    for (const child of children.values()) child.kill(signal);
    const deadline = Date.now() + patienceMs;
    while (children.size > 0 && Date.now() < deadline) await new Promise((wake) => setTimeout(wake, 10));
    if (children.size === 0) break;
  }
  process.exit();
}

process.on('message', (request: SupervisorRequest) => {
  if (request.type === 'start') start(request);
  else children.get(request.id)?.kill(request.signal);
});
process.once('disconnect', () => void shutDown());
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => process.disconnect());

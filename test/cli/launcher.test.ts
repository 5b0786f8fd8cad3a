import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, it } from '@jest/globals';
import { TemporaryDirectories } from '../support/temporary-directory.ts';
import { FakePlatform } from './support/fake-platform.ts';
import { backup, backupId, runningBackup } from './support/samples.ts';

const directories = new TemporaryDirectories();
afterAll(() => directories.removeAll());

const launcher = resolve(import.meta.dirname, '../../bin/mainstay-cli.js');

function start(args: string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env.PATH, HOME: '/nonexistent', MAINSTAY_STATE: '/nonexistent', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)]);
  return {
    child,
    ended: ended.then(([[code, signal], stdout, stderr]) => ({ code, signal, stdout, stderr })),
  };
}

describe('npx mainstay', () => {
  it('lists commands and exit codes', async () => {
    const { code, stdout, stderr } = await start([launcher, '--help']).ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const word of ['backup', 'restore', 'verify', 'status', 'open', 'completion', 'Exit codes:']) {
      expect(stdout).toContain(word);
    }
  }, 60_000);

  it('runs through a link from anywhere, and ends with the code of the command', async () => {
    const directory = await directories.make('mainstay-link-');
    await symlink(launcher, join(directory, 'mainstay'));
    const { code, stderr } = await start([join(directory, 'mainstay'), 'status']).ended;
    expect(code).toBe(3);
    expect(stderr).toContain('Which platform?');
  }, 60_000);

  it('takes signals while it shows a backup', async () => {
    await using platform = await FakePlatform.start();
    platform.on('POST /api/disaster-recovery/backup', { status: 202, body: backup() });
    platform.on(`GET /api/disaster-recovery/backups/${backupId}`, { body: runningBackup() });
    const env = { MAINSTAY_URL: platform.url, MAINSTAY_API_KEY: FakePlatform.key };
    const { child, ended } = start([launcher, 'backup'], env);
    child.stderr.on('data', (data) => String(data).includes('25%') && child.kill('SIGTERM'));
    const { code, stderr } = await ended;
    expect(code).toBe(130);
    expect(stderr).toContain(`The backup ${backupId} goes on.`);
  }, 60_000);

  it.each(['bash', 'zsh', 'fish', 'powershell'])(
    'prints the completion script of %s',
    async (shell) => {
      const { code, stdout } = await start([launcher, 'completion', shell]).ended;
      expect({ code, completes: /mainstay complete '?--/.test(stdout) }).toEqual({
        code: 0,
        completes: true,
      });
    },
    60_000,
  );

  it('completes commands and options', async () => {
    const { stdout } = await start([launcher, 'complete', '--', 'restore', '--d']).ended;
    expect(stdout.match(/^--\S+/gm)).toEqual(['--database', '--dry-run', '--detach']);
  }, 60_000);
});

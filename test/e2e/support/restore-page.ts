import { execFile } from 'node:child_process';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What the page needs beside `aws-encryption-cli`, for which there is a stand-in. */
const tools = ['bash', 'aws', 'base64', 'jq', 'psql', 'python3', 'sed', 'sha256sum', 'zstd'] as const;

const page = join(import.meta.dirname, '../../../docs/restore-without-mainstay.md');

/** The page's blocks of commands, by the name in their first line. */
export async function pageBlocks(): Promise<(name: string) => string> {
  const text = await readFile(page, 'utf8');
  const blocks = new Map(
    [...text.matchAll(/^```sh\n# ([a-z-]+)\n(.*?)^```$/gms)].map(([, name = '', block = '']) => [
      name,
      block,
    ]),
  );
  return (name) => {
    const block = blocks.get(name);
    if (block === undefined) throw new Error(`The page has no block ${name}.`);
    return block;
  };
}

/** Which of the page's tools this machine does not have. */
export async function missingTools(): Promise<string[]> {
  const missing = await Promise.all(tools.map(async (tool) => ((await isThere(tool)) ? [] : [tool])));
  return missing.flat();
}

async function isThere(tool: (typeof tools)[number]): Promise<boolean> {
  try {
    const { stdout } = await run(tool, ['--version']);
    return tool !== 'aws' || knowsEndpointVariable(stdout);
  } catch {
    return false;
  }
}

/** Earlier versions pass `AWS_ENDPOINT_URL` over and call AWS itself. */
function knowsEndpointVariable(version: string): boolean {
  const [, major = '0', minor = '0'] = /^aws-cli\/(\d+)\.(\d+)\./.exec(version) ?? [];
  return Number(major) >= 2 ? Number(minor) >= 13 : Number(minor) >= 29;
}

/** Puts a stand-in for aws-encryption-cli into a directory of programs, unless there is a real one. */
export async function provideEncryptionCli(directory: string): Promise<void> {
  const real = await run('aws-encryption-cli', ['--version']).catch(() => undefined);
  if (real !== undefined) return;
  const program = join(import.meta.dirname, 'aws-encryption-cli.ts');
  const file = join(directory, 'aws-encryption-cli');
  await writeFile(file, `#!/bin/sh\nNODE_OPTIONS= exec '${process.execPath}' '${program}' "$@"\n`);
  await chmod(file, 0o755);
}

/** Runs commands in a `bash` of its own, in a directory. @throws with what they printed, when the last one fails. */
export async function runBlocks(
  directory: string,
  commands: string,
  environment: NodeJS.ProcessEnv,
): Promise<string> {
  try {
    const { stdout } = await run('bash', ['-c', commands], { cwd: directory, env: environment });
    return stdout;
  } catch (error) {
    const printed = (name: 'stdout' | 'stderr') =>
      typeof error === 'object' && error !== null && name in error ? String(Object(error)[name]) : '';
    throw new Error(`The page's commands failed.\n${printed('stdout')}\n${printed('stderr')}`);
  }
}

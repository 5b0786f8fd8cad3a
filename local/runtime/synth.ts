import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import * as z from 'zod';

const cdkJsonSchema = z
  .object({ app: z.string(), context: z.record(z.string(), z.unknown()).default({}) })
  .loose();

/** What a synthesized assembly depends on, relative to the project's root. */
const sources = ['bin', 'lib', 'functions', 'cdk.json', 'package.json', 'package-lock.json', 'docs/runbooks'];

export interface SynthOptions {
  /** The project's root, where `cdk.json` is. */
  projectDirectory: string;
  /** Where the assembly is written. */
  outputDirectory: string;
  /** Context on top of that of `cdk.json`, as the CLI's `-c key=value` gives it. */
  context: Readonly<Record<string, unknown>>;
  /** Aborting it ends the app. */
  signal?: AbortSignal;
}

/**
 * Synthesizes the CDK app as the CDK CLI does, without the CLI. An assembly that was made from the
 * same sources and context is used again.
 *
 * @returns whether the assembly had to be made.
 * @throws with the app's own message when it does not synthesize.
 */
export async function synthesize(options: SynthOptions): Promise<'synthesized' | 'unchanged'> {
  const cdkJson = cdkJsonSchema.parse(
    JSON.parse(await readFile(join(options.projectDirectory, 'cdk.json'), 'utf8')),
  );
  const context = { ...cdkJson.context, ...options.context };
  const fingerprint = await fingerprintOf(options.projectDirectory, context);
  const fingerprintFile = `${options.outputDirectory}.fingerprint`;
  const known = await readFile(fingerprintFile, 'utf8').catch(() => '');
  if (known === fingerprint) return 'unchanged';

  await rm(fingerprintFile, { force: true });
  await rm(options.outputDirectory, { recursive: true, force: true });
  await mkdir(options.outputDirectory, { recursive: true });
  options.signal?.throwIfAborted();
  await runApp(cdkJson.app, options, context);
  await writeFile(fingerprintFile, fingerprint);
  return 'synthesized';
}

async function runApp(app: string, options: SynthOptions, context: Record<string, unknown>): Promise<void> {
  const output: Buffer[] = [];
  const path = [join(options.projectDirectory, 'node_modules', '.bin'), process.env.PATH ?? ''].join(
    delimiter,
  );
  const child = spawn(app, {
    shell: true,
    // A group of its own, so that it ends as a whole: the shell and what it runs.
    detached: true,
    cwd: options.projectDirectory,
    env: {
      ...process.env,
      PATH: path,
      CDK_OUTDIR: options.outputDirectory,
      CDK_CONTEXT_JSON: JSON.stringify(context),
      // The CDK's own checks of a template take half of the time. Nothing is deployed from here, and
      // `cdk synth` makes them; cdk-nag's are made here as well.
      CDK_VALIDATION: 'false',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const end = () => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
  };
  process.once('exit', end);
  options.signal?.addEventListener('abort', end);
  child.stdout.on('data', (data: Buffer) => output.push(data));
  child.stderr.on('data', (data: Buffer) => output.push(data));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  }).finally(() => {
    process.off('exit', end);
    options.signal?.removeEventListener('abort', end);
  });
  options.signal?.throwIfAborted();
  if (code !== 0)
    throw new Error(`The CDK app does not synthesize:\n${Buffer.concat(output).toString().trim()}`);
}

async function fingerprintOf(projectDirectory: string, context: Record<string, unknown>): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(context)).update(process.version);
  for (const source of sources) await addTo(hash, join(projectDirectory, source));
  return hash.digest('hex');
}

async function addTo(hash: ReturnType<typeof createHash>, path: string): Promise<void> {
  const stats = await stat(path).catch(() => undefined);
  if (stats === undefined) return;
  if (!stats.isDirectory()) {
    hash.update(`${path}\0`).update(await readFile(path));
    return;
  }
  const names = (await readdir(path)).sort();
  for (const name of names) await addTo(hash, join(path, name));
}

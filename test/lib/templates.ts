import { spawnSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';

const root = dirname(dirname(import.meta.dirname));
const cache = join(root, '.cache', 'templates');
/** Templates that are kept; the oldest go first. */
const mostKept = 60;
/** What templates are made from. */
const sources = ['lib', 'functions', 'docs/runbooks', 'cdk.json', 'package.json', 'package-lock.json'];

const templatesSchema = z.record(z.string(), z.record(z.string(), z.unknown()));
export type Templates = z.output<typeof templatesSchema>;

export interface TemplatesRequest {
  environment: string;
  settings: unknown;
  /** Whether the CDK checks the templates, and cdk-nag with it. */
  validation: boolean;
}

let fingerprint: string | undefined;

/**
 * The templates of an environment by the names of their stacks, made once for the same sources and settings.
 *
 * @throws with what the app said when it does not synthesize.
 */
export function templatesOf(request: TemplatesRequest): Templates {
  fingerprint ??= fingerprintOf(sources.map((source) => join(root, source)));
  const name = createHash('sha256').update(fingerprint).update(JSON.stringify(request)).digest('hex');
  const file = join(cache, `${name}.json`);
  try {
    return templatesSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    // Not made yet.
  }
  const templates = synthesize(request);
  mkdirSync(cache, { recursive: true });
  const unnamed = join(cache, `${randomUUID()}.tmp`);
  writeFileSync(unnamed, JSON.stringify(templates));
  renameSync(unnamed, file);
  prune();
  return templates;
}

function synthesize({ environment, settings, validation }: TemplatesRequest): Templates {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(import.meta.dirname, 'synth-process.ts')],
    {
      cwd: root,
      input: JSON.stringify({ environment, settings }),
      encoding: 'utf8',
      maxBuffer: 256 * 1024 * 1024,
      // Jest's own flags are no business of the app.
      env: { ...process.env, NODE_OPTIONS: '', ...(validation ? {} : { CDK_VALIDATION: 'false' }) },
    },
  );
  if (status !== 0) throw new Error(`The app does not synthesize:\n${stderr}`);
  return templatesSchema.parse(JSON.parse(stdout));
}

function fingerprintOf(paths: readonly string[]): string {
  const hash = createHash('sha256').update(process.version);
  const add = (path: string): void => {
    if (statSync(path).isDirectory()) for (const name of readdirSync(path).sort()) add(join(path, name));
    else hash.update(`${path}\0`).update(readFileSync(path));
  };
  for (const path of paths) add(path);
  return hash.digest('hex');
}

function prune(): void {
  const files = readdirSync(cache).map((name) => join(cache, name));
  const aged = files.map((path) => ({ path, at: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 }));
  for (const { path } of aged.sort((a, b) => b.at - a.at).slice(mostKept)) rmSync(path, { force: true });
}

import { type ChildProcess, spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { MemoryWatch } from './processes.ts';

/** What a command took, its processes together. */
export interface ShellResult {
  seconds: number;
  /** User and system time. */
  cpuSeconds: number;
  /** Sum of the processes' peaks; undefined where the system does not tell. */
  peakRssBytes: number | undefined;
  stdout: string;
}

export interface ShellOptions {
  env?: Readonly<Record<string, string>>;
}

/**
 * Runs commands of the shell at the same time. The shells are up before the clock starts; starting the
 * commands themselves counts.
 *
 * @throws when a command fails or complains, with what it said.
 */
export async function runShells(
  commands: readonly string[],
  { env = {} }: ShellOptions = {},
): Promise<ShellResult> {
  // `times` prints the shell's own time and then its children's.
  const shells = commands.map((command) =>
    spawn('sh', ['-c', `read -r go; { ${command}\n} || exit 1; times >&2`], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    }),
  );
  const watches = shells.map((shell) => new MemoryWatch(shell.pid ?? 0));
  const started = performance.now();
  const results = await Promise.all(shells.map(outcomeOf));
  const seconds = (performance.now() - started) / 1000;
  const peaks = watches.map((watch) => watch.end());
  return {
    seconds,
    cpuSeconds: results.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
    peakRssBytes: peaks.reduce<number | undefined>(
      (sum, peak) => (peak === undefined ? sum : (sum ?? 0) + peak),
      undefined,
    ),
    stdout: results.map(({ stdout }) => stdout).join(''),
  };
}

async function outcomeOf(shell: ChildProcess): Promise<{ cpuSeconds: number; stdout: string }> {
  const { stdin, stdout, stderr } = shell;
  if (stdin === null || stdout === null || stderr === null) throw new Error('The shell has no pipes.');
  const ended = new Promise<number | null>((resolve, reject) => {
    shell.once('error', reject).once('close', resolve);
  });
  stdin.end('go\n');
  const [said, complained, code] = await Promise.all([text(stdout), text(stderr), ended]);
  const lines = complained.trimEnd().split('\n');
  const times = lines.splice(-2);
  if (code !== 0 || lines.length > 0) throw new Error(`A command failed:\n${complained}`);
  return { cpuSeconds: secondsOf(times.at(-1) ?? ''), stdout: said };
}

/** Adds up what `times` says of one line: `0m1.230000s 0m0.120000s`. */
function secondsOf(line: string): number {
  return [...line.matchAll(/(\d+)m([\d.,]+)s/g)].reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds?.replace(',', '.')),
    0,
  );
}

import { relative } from 'node:path';
import type { LocalFacts } from '../runtime/local-files.ts';
import type { Reporter } from './reporter.ts';

/** Says what a person needs to begin: addresses, the admin key, three lines to paste. */
export function printReady(
  { line, bold, dim }: Pick<Reporter, 'line' | 'bold' | 'dim'>,
  facts: LocalFacts,
  { seconds, logs, state }: { seconds: number; logs: string; state: string },
): void {
  const entry = (name: string, value: string, remark = '') =>
    line(`  ${name.padEnd(11)} ${value}${remark && `   ${dim(remark)}`}`);
  line(`\n  ready in ${seconds.toFixed(1)} s\n`);
  entry('API', bold(facts.baseUrl), `documentation at ${facts.baseUrl}/docs`);
  entry('admin key', bold(facts.adminKey));
  if (facts.edgeUrl !== undefined) {
    entry(
      'website',
      bold(facts.edgeUrl),
      'the example, through the edge; x-cache says what came out of its cache',
    );
  }
  entry('AWS', facts.awsEndpointUrl, `set -a; . ${quoted(shown(state))}/aws.env; set +a; aws s3 ls`);
  for (const { name, writer, readers } of facts.shards) {
    const servers = [`writer ${hostOf(writer.url)}`, ...readers.map(({ url }) => `reader ${hostOf(url)}`)];
    entry(name, servers.join(', '), 'PostgreSQL');
  }
  entry('programs', `${shown(state)}/local.json`, 'all of this, with the URLs of the databases');
  entry('logs', shown(logs), 'or npm start -- --logs');

  const header = `-H 'authorization: Bearer ${facts.adminKey}'`;
  const recovery = `${facts.baseUrl}/api/disaster-recovery`;
  line('\n  Take a backup of all shards, watch it, and check what the platform depends on:\n');
  line(`  curl -X POST ${header} ${recovery}/backup`);
  line(`  curl ${header} '${recovery}/backups?limit=1'`);
  line(`  curl ${facts.baseUrl}/api/ready`);
  line('\n  Stop with Ctrl-C; state is kept.\n');
}

/** Paths inside the current directory are shorter without it. */
function shown(path: string): string {
  const short = relative(process.cwd(), path);
  return short === '' || short.startsWith('..') ? path : short;
}

/** A path as a shell takes it. */
function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

function hostOf(url: string): string {
  return new URL(url).host;
}

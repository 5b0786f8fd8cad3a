import { relative } from 'node:path';
import type { LocalFacts } from '../runtime/local-files.ts';
import type { Reporter } from './reporter.ts';

/** Says what a person needs to begin: addresses, the admin key, three lines to paste. */
export function printReady(
  reporter: Reporter,
  facts: LocalFacts,
  { seconds, logs, state }: { seconds: number; logs: string; state: string },
): void {
  const { line, bold, dim } = reporter;
  const header = `-H 'authorization: Bearer ${facts.adminKey}'`;
  const recovery = `${facts.baseUrl}/api/disaster-recovery`;
  line(`\n  ready in ${seconds.toFixed(1)} s\n`);
  line(`  API         ${bold(facts.baseUrl)}   ${dim(`documentation at ${facts.baseUrl}/docs`)}`);
  line(`  admin key   ${bold(facts.adminKey)}`);
  line(`  AWS         ${facts.awsEndpointUrl}   ${dim(`set -a; . ${shown(state)}/aws.env; aws s3 ls`)}`);
  for (const { name, readers } of facts.shards) {
    line(
      `  ${name.padEnd(11)} PostgreSQL, a writer and ${readers.length} reader${readers.length === 1 ? '' : 's'}`,
    );
  }
  line(`  logs        ${shown(logs)}   ${dim('or npm start -- --logs')}`);
  line(`  programs    ${shown(state)}/local.json`);
  line('\n  Take a backup of both shards, watch it, and check what the platform depends on:\n');
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

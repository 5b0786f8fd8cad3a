import { postgresMajor } from '../../../lib/constants.ts';
import { majorOf, versionOf } from '../../measure/tools.ts';

/** Versions of the programs that peers are made of; what is undefined is not on PATH. */
export interface Tools {
  psql: string | undefined;
  /** Undefined also when it is too old to dump the server. */
  pgDump: string | undefined;
  zstd: string | undefined;
  openssl: string | undefined;
  sha256sum: string | undefined;
  restic: string | undefined;
}

/** Looks for the programs. */
export async function findTools(): Promise<Tools> {
  const [psql, pgDump, zstd, openssl, sha256sum, restic] = await Promise.all([
    versionOf('psql'),
    versionOf('pg_dump'),
    versionOf('zstd'),
    versionOf('openssl', 'version'),
    versionOf('sha256sum'),
    versionOf('restic', 'version'),
  ]);
  const recent = pgDump !== undefined && majorOf(pgDump) >= postgresMajor;
  return { psql, pgDump: recent ? pgDump : undefined, zstd, openssl, sha256sum, restic };
}

/** Peers that cannot be measured, with what they need; empty when there are none. */
export function missingPeers(tools: Tools): string[] {
  const lacking = (programs: readonly (keyof Tools)[]) =>
    programs.filter((program) => tools[program] === undefined).join(', ');
  const pipeline = lacking(['psql', 'zstd', 'openssl', 'sha256sum']);
  const restic = lacking(['psql', 'restic']);
  return [
    ...(pipeline === ''
      ? []
      : [
          `psql | zstd | openssl | sha256sum: install ${pipeline} (packages postgresql-client, zstd, openssl)`,
        ]),
    ...(restic === '' ? [] : [`restic: install ${restic}`]),
    ...(tools.pgDump === undefined
      ? [
          `pg_dump -Fd: install pg_dump ${postgresMajor} or newer (package postgresql-client-${postgresMajor})`,
        ]
      : []),
  ];
}

/** The versions of what was found, for the record. */
export const describeTools = (tools: Tools): string =>
  Object.values(tools)
    .filter((version) => version !== undefined)
    .map((version) => version.replace(/ (compiled with|\(Library|\(Debian|\(Ubuntu).*$/, ''))
    .map((version) => version.replace(/^\*{3} Zstandard CLI .* (v[\d.]+),.*$/, 'zstd $1'))
    .join(', ');

import { postgresMajor } from '../../../lib/constants.ts';
import { majorOf, versionOf } from '../../measure/tools.ts';

/** Versions of the programs that peers are made of; what is undefined is not on PATH. */
export interface Tools {
  psql: string | undefined;
  /** Undefined also when it is too old to dump the server. */
  pgDump: string | undefined;
  /** Of any version: an archive of its own version can be restored into a newer server. */
  pgRestore: string | undefined;
  zstd: string | undefined;
  openssl: string | undefined;
  sha256sum: string | undefined;
  restic: string | undefined;
}

/** Looks for the programs. */
export async function findTools(): Promise<Tools> {
  const [psql, pgDump, pgRestore, zstd, openssl, sha256sum, restic] = await Promise.all([
    versionOf('psql'),
    versionOf('pg_dump'),
    versionOf('pg_restore'),
    versionOf('zstd'),
    versionOf('openssl', 'version'),
    versionOf('sha256sum'),
    versionOf('restic', 'version'),
  ]);
  const recent = pgDump !== undefined && majorOf(pgDump) >= postgresMajor;
  return { psql, pgDump: recent ? pgDump : undefined, pgRestore, zstd, openssl, sha256sum, restic };
}

/** Peers of the backup suite that cannot be measured, with what they need; empty when there are none. */
export const missingPeers = (tools: Tools): string[] => [
  ...missingPipes(tools),
  ...(tools.pgDump === undefined ? [`pg_dump -Fd: ${installClient('pg_dump')}`] : []),
];

/** What to install for a client program that is new enough for the server. */
export const installClient = (program: string): string =>
  `install ${program} ${postgresMajor} or newer (package postgresql-client-${postgresMajor})`;

/** Peers made of psql and other programs that cannot be measured, with what they need. */
export function missingPipes(tools: Tools): string[] {
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
  ];
}

/** The versions of what was found, for the record. */
export const describeTools = (tools: Tools): string =>
  Object.values(tools)
    .filter((version) => version !== undefined)
    .map((version) => version.replace(/ (compiled with|\(Library|\(Debian|\(Ubuntu).*$/, ''))
    .map((version) => version.replace(/^\*{3} Zstandard CLI .* (v[\d.]+),.*$/, 'zstd $1'))
    .join(', ');

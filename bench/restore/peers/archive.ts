import { programEnvironment } from '../../backup/connection.ts';
import type { DataSet } from '../../backup/data-sets.ts';
import type { Tools } from '../../backup/peers/tools.ts';
import { installClient } from '../../backup/peers/tools.ts';
import { runShells } from '../../measure/shell.ts';
import { majorOf, versionOf } from '../../measure/tools.ts';
import type { RestorePeerPlace } from './peers.ts';
import { ScratchServer } from './scratch-server.ts';

/**
 * Makes what pg_restore restores: a directory by pg_dump. A pg_dump that is too old for the server of the benchmark
 * dumps the same rows from a server of its own version, where that is installed: pg_restore itself may be older
 * than the server it restores into.
 *
 * @returns how the archive is compressed; undefined when there are no programs to make one.
 */
export async function makeArchive(
  { tools, dataSet, source }: Pick<RestorePeerPlace, 'tools' | 'dataSet' | 'source'>,
  archive: string,
): Promise<string | undefined> {
  if (tools.pgDump !== undefined) {
    await dump(programEnvironment(source), dataSet, archive, '--compress=zstd:3');
    return 'zstd:3';
  }
  if (!(await hasOldServer())) return undefined;
  const server = await ScratchServer.start();
  try {
    await server.fill(dataSet);
    // gzip is all that pg_dump had before version 16.
    await dump(programEnvironment(server.connection), dataSet, archive, '--compress=1');
    return 'gzip -1';
  } finally {
    await server.close();
  }
}

const dump = (env: Record<string, string>, { schema }: DataSet, archive: string, compression: string) =>
  runShells([`pg_dump -Fd -j2 ${compression} --schema=${schema} -f '${archive}'`], { env });

async function hasOldServer(): Promise<boolean> {
  const [pgDump, postgres] = await Promise.all([versionOf('pg_dump'), versionOf('postgres')]);
  return pgDump !== undefined && postgres !== undefined && majorOf(pgDump) === majorOf(postgres);
}

/** What to install for pg_restore, where it cannot be measured. */
export async function missingArchive(tools: Tools): Promise<string[]> {
  const programs = tools.pgRestore !== undefined && tools.psql !== undefined;
  if (programs && (tools.pgDump !== undefined || (await hasOldServer()))) return [];
  return [`pg_restore -j2: ${installClient('pg_dump')}, or a server of pg_dump's own version beside it`];
}

import { join } from 'node:path';
import { runShells } from '../../measure/shell.ts';
import { inTurn, type RestoreCandidate } from '../candidate.ts';
import { makeArchive } from './archive.ts';
import { peerBasics, type RestorePeerPlace } from './peers.ts';

/** pg_restore of a directory that pg_dump wrote: rows, then indexes, then ANALYZE, which it leaves to others. */
export async function pgRestorePeers(place: RestorePeerPlace): Promise<RestoreCandidate[]> {
  const { tools, dataSet, directory, environment: env } = place;
  if (tools.pgRestore === undefined || tools.psql === undefined) return [];
  const archive = join(directory, 'archive');
  const compression = await makeArchive(place, archive);
  if (compression === undefined) return [];
  const restore = `pg_restore -j2 --no-owner --section=data --section=post-data -d "$PGDATABASE" '${archive}'`;
  const tables = dataSet.tables.map(({ name }) => `${dataSet.schema}.${name}`).join(', ');
  return [
    {
      ...peerBasics(place),
      ...{ kind: 'pg_restore', lanes: 2, name: `pg_restore -j2 of ${compression}` },
      run: async () =>
        inTurn([
          await runShells([restore], { env }),
          await runShells([`psql -X -q -c 'ANALYZE ${tables}'`], { env }),
        ]),
    },
  ];
}

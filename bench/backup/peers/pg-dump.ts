import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runShells } from '../../measure/shell.ts';
import type { Candidate } from '../candidate.ts';
import { type PeerPlace, sizeOf } from './place.ts';

/** pg_dump into a directory, compressed as ours, neither encrypted nor hashed. */
export function pgDumpPeers({ tools, environment: env, dataSet, directory }: PeerPlace): Candidate[] {
  if (tools.pgDump === undefined) return [];
  const target = join(directory, 'dump');
  const command = `pg_dump -Fd -j2 --compress=zstd:3 --schema=${dataSet.schema} -f '${target}'`;
  return [
    {
      name: 'pg_dump -Fd -j2, zstd:3, plain',
      lanes: 2,
      connection: 'socket',
      kind: 'pg_dump',
      run: async () => {
        const result = await runShells([command], { env });
        return { ...result, storedBytes: await sizeOf(target) };
      },
      clear: () => rm(target, { recursive: true, force: true }),
    },
  ];
}

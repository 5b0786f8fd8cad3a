import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runShells } from '../../measure/shell.ts';
import type { Candidate } from '../candidate.ts';
import { type PeerPlace, psql, sizeOf } from './place.ts';

/** restic reading from psql, into a new repository in a directory. */
export function resticPeers({ tools, environment, directory, statements }: PeerPlace): Candidate[] {
  const [file] = statements.get(1) ?? [];
  if (tools.restic === undefined || tools.psql === undefined || file === undefined) return [];
  const repository = join(directory, 'restic');
  const restic = `restic -r '${repository}' --no-cache -q`;
  const env = { ...environment, RESTIC_PASSWORD: 'only for this run' };
  return [
    {
      name: 'psql | restic backup --stdin',
      lanes: 1,
      connection: 'socket',
      kind: 'restic',
      prepare: async () => void (await runShells([`${restic} init`], { env })),
      run: async () => {
        const result = await runShells([`${psql(file)} | ${restic} backup --stdin`], { env });
        return { ...result, storedBytes: await sizeOf(repository) };
      },
      clear: () => rm(repository, { recursive: true, force: true }),
    },
  ];
}

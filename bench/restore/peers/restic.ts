import { join } from 'node:path';
import { psql } from '../../backup/peers/place.ts';
import { runShells } from '../../measure/shell.ts';
import { inTurn, type RestoreCandidate } from '../candidate.ts';
import { peerBasics, type RestorePeerPlace } from './peers.ts';

/** restic writing a script that it has read from standard input to psql. */
export async function resticPeers(place: RestorePeerPlace): Promise<RestoreCandidate[]> {
  const { tools, texts, directory, environment } = place;
  const [script] = texts.scripts.get(1) ?? [];
  if (tools.restic === undefined || tools.psql === undefined || script === undefined) return [];
  const restic = `restic -r '${join(directory, 'restic-restore')}' --no-cache -q`;
  const env = { ...environment, RESTIC_PASSWORD: 'only for this run' };
  await runShells([`${restic} init && ${restic} backup --stdin < '${script}'`], { env });
  return [
    {
      ...peerBasics(place),
      ...{ kind: 'restic', lanes: 1, name: 'restic dump | psql' },
      proves: 'hash, MAC',
      run: async () =>
        inTurn([
          await runShells([`${restic} dump latest stdin | ${psql('-')}`], { env }),
          await runShells([psql(texts.statementsScript)], { env }),
        ]),
    },
  ];
}

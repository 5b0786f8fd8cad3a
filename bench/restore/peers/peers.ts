import { type DatabaseConnection, programEnvironment } from '../../backup/connection.ts';
import type { DataSet } from '../../backup/data-sets.ts';
import type { Tools } from '../../backup/peers/tools.ts';
import type { RestoreCandidate } from '../candidate.ts';
import type { Target } from '../target.ts';
import type { Texts } from '../texts.ts';
import { pgRestorePeers } from './pg-restore.ts';
import { psqlPeers } from './psql.ts';
import { resticPeers } from './restic.ts';

/** What peers are made of. */
export interface RestorePeerPlace {
  tools: Tools;
  dataSet: DataSet;
  /** The server that holds the original. */
  source: DatabaseConnection;
  target: Target;
  texts: Texts;
  /** How PostgreSQL's programs find the database that is restored into. */
  environment: Record<string, string>;
  /** For whatever the peers need; gone after the run. */
  directory: string;
}

/** The peers that this machine has the programs for, restoring the same rows into the same empty tables. */
export async function peersOn(place: Omit<RestorePeerPlace, 'environment'>): Promise<RestoreCandidate[]> {
  const environment = programEnvironment(place.target.connection);
  const complete = { ...place, environment };
  return [
    ...(await psqlPeers(complete)),
    ...(await resticPeers(complete)),
    ...(await pgRestorePeers(complete)),
  ];
}

/** What all peers have in common. */
export const peerBasics = ({ target }: RestorePeerPlace) =>
  ({
    connection: 'socket',
    scope: 'complete',
    prepare: () => target.create(),
    clear: () => target.drop(),
  }) as const;

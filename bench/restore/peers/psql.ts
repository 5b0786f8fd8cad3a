import { randomBytes } from 'node:crypto';
import { psql } from '../../backup/peers/place.ts';
import { runShells } from '../../measure/shell.ts';
import { inTurn, type RestoreCandidate } from '../candidate.ts';
import { peerBasics, type RestorePeerPlace } from './peers.ts';

/** psql reading plain scripts, and psql behind the usual pipe of hash, decryption and decompression. */
export async function psqlPeers(place: RestorePeerPlace): Promise<RestoreCandidate[]> {
  const { tools, texts, environment: env } = place;
  if (tools.psql === undefined) return [];
  const candidates: RestoreCandidate[] = [];
  const complete = [tools.zstd, tools.openssl, tools.sha256sum].every((version) => version !== undefined);
  const run = async (commands: readonly string[]) =>
    inTurn([await runShells(commands, { env }), await runShells([psql(texts.statementsScript)], { env })]);
  for (const [lanes, scripts] of texts.scripts) {
    candidates.push({
      ...peerBasics(place),
      ...{ kind: 'psql', lanes, name: 'psql < plain text' },
      run: () => run(scripts.map(psql)),
    });
    if (!complete) continue;
    const cipher = `enc -aes-256-ctr -K ${randomBytes(32).toString('hex')} -iv ${randomBytes(16).toString('hex')}`;
    await runShells(scripts.map((script) => seal(script, cipher)));
    candidates.push({
      ...peerBasics(place),
      ...{ kind: 'pipeline', lanes, name: 'sha256sum && openssl | zstd -d | psql' },
      proves: 'hash',
      run: () => run(scripts.map((script) => unseal(script, cipher))),
    });
  }
  return candidates;
}

const seal = (script: string, cipher: string): string =>
  `zstd -q -3 -c '${script}' | openssl ${cipher} -out '${script}.enc' && sha256sum '${script}.enc' > '${script}.sum'`;

/** Nothing is read before its hash is right, as with us. */
const unseal = (script: string, cipher: string): string =>
  `sha256sum --status -c '${script}.sum' && openssl ${cipher} -d -in '${script}.enc' | zstd -q -d -c | ${psql('-')}`;

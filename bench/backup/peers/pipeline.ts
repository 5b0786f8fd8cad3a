import { randomBytes } from 'node:crypto';
import { runShells } from '../../measure/shell.ts';
import type { Candidate } from '../candidate.ts';
import { type PeerPlace, psql } from './place.ts';

/** psql alone, and psql into the usual pipe of compression, encryption and hash. */
export async function pipelinePeers({
  tools,
  environment: env,
  statements,
}: PeerPlace): Promise<Candidate[]> {
  if (tools.psql === undefined) return [];
  const candidates: Candidate[] = [];
  const complete = [tools.zstd, tools.openssl, tools.sha256sum].every((version) => version !== undefined);
  for (const [lanes, files] of statements) {
    const common = { lanes, connection: 'socket' } as const;
    candidates.push({
      ...common,
      kind: 'psql',
      name: 'psql > /dev/null',
      run: () =>
        runShells(
          files.map((file) => `${psql(file)} > /dev/null`),
          { env },
        ),
    });
    if (!complete) continue;
    const key = `-K ${randomBytes(32).toString('hex')} -iv ${randomBytes(16).toString('hex')}`;
    const pipe = (file: string) => `${psql(file)} | zstd -q -3 -c | openssl enc -aes-256-ctr ${key}`;
    const counted = await runShells(
      files.map((file) => `${pipe(file)} | wc -c`),
      { env },
    );
    const storedBytes = counted.stdout
      .trim()
      .split(/\s+/)
      .reduce((sum, count) => sum + Number(count), 0);
    candidates.push({
      ...common,
      kind: 'pipeline',
      name: 'psql | zstd -3 | openssl | sha256sum',
      run: async () => {
        const result = await runShells(
          files.map((file) => `${pipe(file)} | sha256sum`),
          { env },
        );
        return { ...result, storedBytes };
      },
    });
  }
  return candidates;
}

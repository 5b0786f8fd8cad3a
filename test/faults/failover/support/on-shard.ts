import type { Row } from '../../../../local/postgres/admin.ts';
import { withConnection } from '../../../e2e/support/ledger.ts';
import type { Scene } from './trial.ts';

/** Runs statements on the shard's writer as its owner. */
export async function onShard({ deployment, shard }: Scene, sql: string): Promise<Row[]> {
  return withConnection(
    await deployment.route(shard),
    async (client) => {
      const results = [await client.query<Row>(sql)].flat();
      return results.at(-1)?.rows ?? [];
    },
    60_000,
  );
}

import type { Client } from 'pg';
import { databaseUsers } from '../../lib/constants.ts';
import { dynamo } from '../shared/clients.ts';
import { connect, wakeUpMs } from '../shared/database.ts';
import { eventFunction } from '../shared/event-function.ts';
import { RecoveryTable } from './catalog/recovery-table.ts';
import { RestoreNotes } from './catalog/restore-notes.ts';
import { systemClock } from './clock.ts';
import { recoveryContract } from './contract.ts';
import { checkDatabase, type DatabaseLogin } from './drill/check-database.ts';
import { DrillCatalog } from './drill/drill-catalog.ts';
import { restoreOf } from './drill/ids.ts';
import { connectError } from './snapshot/connect-error.ts';

/** Kept back to note what was found, in milliseconds. */
const endMs = 20_000;

async function logIn(login: DatabaseLogin, user: 'restore' | 'backup'): Promise<Client> {
  const as = { ...login, user: databaseUsers[user] };
  try {
    return await connect({ ...as, connectTimeoutMs: wakeUpMs });
  } catch (error) {
    throw connectError(error, as);
  }
}

/** Looks whether a scratch database can be worked with: its foreign keys, indexes, sequences, and the operator's assertions. */
export const handler = eventFunction({
  contract: recoveryContract.functions['check-drill'],
  handler: (environment) => {
    const table = new RecoveryTable(dynamo(), environment.RECOVERY_TABLE);
    return async ({ drillId, ...work }, { log, remainingMs }) => {
      const outcome = await checkDatabase(
        {
          drills: new DrillCatalog(table),
          notes: new RestoreNotes(table, restoreOf(drillId)),
          clock: systemClock,
          logIn,
          deadline: systemClock.now() + remainingMs() - work.statementTimeoutSeconds * 1000 - endMs,
        },
        drillId,
        work,
      );
      log.info('Scratch database checked', { drillId, shard: work.shard, outcome });
      return { outcome };
    };
  },
});

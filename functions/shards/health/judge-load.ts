import type { Load, Reason } from './model.ts';
import type { HealthSettings } from './settings.ts';

/** What is wrong with how an instance is loaded. The age of transactions is the cluster's: its writer alone tells it. */
export function loadReasons(
  { connections, longTransactions, blockedQueries, wraparound }: Load,
  role: 'writer' | 'reader',
  settings: HealthSettings,
): Pick<Reason, 'code' | 'message'>[] {
  const reasons: Pick<Reason, 'code' | 'message'>[] = [];
  if (connections.used >= connections.usable * settings.connectionsShare) {
    reasons.push({
      code: 'connections',
      message: `${connections.used} of ${connections.usable} connections are taken`,
    });
  }
  if (longTransactions.count > 0) {
    reasons.push({
      code: 'long-transactions',
      message: `${longTransactions.count} open for more than ${settings.longTransactionSeconds} s, the oldest for ${longTransactions.oldestSeconds} s`,
    });
  }
  if (blockedQueries.count > 0) {
    reasons.push({
      code: 'blocked-queries',
      message: `${blockedQueries.count} have waited for a lock for more than ${settings.blockedSeconds} s, one for ${blockedQueries.longestSeconds} s`,
    });
  }
  if (role === 'writer' && wraparound.usedShare >= settings.wraparoundShare) {
    const percent = Math.round(wraparound.usedShare * 100);
    reasons.push({
      code: 'wraparound',
      message: `${percent} % of the transaction ids are used up: VACUUM does not keep up`,
    });
  }
  return reasons;
}

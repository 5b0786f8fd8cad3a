import type { Cluster } from './cluster.ts';
import { endOfShutDown } from './control-file.ts';
import type { Instance } from './instance.ts';
import { waitUntil } from './wait.ts';

/** How long a secondary may take to catch up before its primary is stopped for it, in milliseconds. */
const catchUpPatienceMs = 60_000;
/** How long an old writer may take to be shut down in order before a switchover is given up, in milliseconds. */
const shutDownPatienceMs = 30_000;
/** How long the last of what the primary has sent may take to arrive, in milliseconds. */
const arrivalPatienceMs = 5000;

/** How far a promotion has come: the old writer has been stopped, the new one takes writes. */
export type PromotionStep = 'stopped' | 'promoted';

/**
 * Makes a secondary of a global database its primary. The old one's writer is stopped first; one that has been halted is killed.
 * Resolves when the new writer takes writes; the old primary's instances become standbys of it afterwards, and those of other
 * secondaries follow it.
 *
 * @param allowDataLoss a failover promotes the secondary with what it has; a switchover (false) only when it has received all that
 *   was ever written, else the old primary goes on.
 * @throws when no instance of the secondary runs, and for a switchover that would lose something.
 */
export async function promoteCluster(
  identifier: string,
  from: Cluster,
  to: Cluster,
  allowDataLoss: boolean,
  onStep: (step: PromotionStep) => void,
): Promise<void> {
  if (!allowDataLoss) await catchUp(from, to);
  let stopped: string | undefined;
  try {
    // Nothing starts the old writer again before it is none.
    await from.exclusively(async () => {
      const successor = await runningOf(to);
      if (successor === undefined) throw new Error(`No instance of ${to.state.identifier} runs any more.`);
      stopped = from.head?.identifier;
      await from.head?.stop(allowDataLoss ? undefined : shutDownPatienceMs);
      if (!allowDataLoss) await expectAll(from.head, successor);
      stopped = undefined;
      onStep('stopped');
      from.state.global = { identifier, primary: false };
      for (const instance of from.state.instances) instance.rebuild = true;
      to.state.global = { identifier, primary: true };
      to.state.writer = successor.identifier;
      await to.takeOver();
    });
  } catch (error) {
    if (stopped !== undefined) await from.startInstance(stopped);
    throw error;
  }
  onStep('promoted');
}

/** The instance of a secondary that takes over: its head, or another one while that one is away. */
export async function runningOf(cluster: Cluster): Promise<Instance | undefined> {
  for (const instance of cluster.current) if (await answers(instance)) return instance;
  return undefined;
}

/** Whether an instance runs and has not been halted: whoever asks one that has been waits for ever. */
export async function answers(instance: Instance): Promise<boolean> {
  return instance.running && !(await instance.isHalted());
}

/** Waits until a secondary has what the primary had written by now, while that still serves. */
async function catchUp(from: Cluster, to: Cluster): Promise<void> {
  const successor = await runningOf(to);
  const [written] = (await from.head?.admin.query('SELECT pg_current_wal_lsn()::text AS position')) ?? [];
  if (successor === undefined || typeof written?.position !== 'string') return;
  const { position } = written;
  await waitUntil(() => hasReceived(successor, position), catchUpPatienceMs, 'the secondary to catch up');
}

/** @throws unless a standby has received all that a server wrote which has been shut down. */
async function expectAll(stopped: Instance | undefined, standby: Instance): Promise<void> {
  const end = stopped && (await endOfShutDown(stopped.dataDirectory));
  if (end === undefined) throw new Error(`${stopped?.identifier} could not be shut down in order.`);
  await waitUntil(() => hasReceived(standby, end), arrivalPatienceMs, 'the end of the log to arrive');
}

async function hasReceived(standby: Instance, position: string): Promise<boolean> {
  const received = 'greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())';
  const [row] = await standby.admin.query(`SELECT ${received} >= $1::pg_lsn AS there`, [position]);
  return row?.there === true;
}

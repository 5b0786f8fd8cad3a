import { combineDigests } from '../../functions/recovery/digest.ts';
import { type ComparedTable, planComparison } from '../../functions/recovery/restore/engine/compare.ts';
import { divide, laneCounts, type Measurement } from '../backup/candidate.ts';
import type { StoreFacts } from '../backup/store.ts';
import { runTogether, sumOf } from '../measure/together.ts';
import { inTurn, type RestoreCandidate, type Scope } from './candidate.ts';
import { targetServer } from './engine.ts';
import { type RestoreJob, restoreLaneResultSchema } from './job.ts';
import type { StoredBackup } from './stored-backup.ts';
import type { Target } from './target.ts';
import type { Texts } from './texts.ts';

/** What our own candidates and the bare ones work with. */
export interface RestoreWorkload {
  target: Target;
  backup: StoredBackup;
  texts: Texts;
  store: StoreFacts;
  /** The bundled script that lanes run. */
  laneScript: string;
}

/** Parts into which the comparison divides a large table: enough for every lane to have the same. */
const partsPerTable = 4;

const proved = 'hash, GCM tags, context, row digest';

/** The bare COPY with and without what comes after the rows, and Mainstay at each scope, at each number of lanes. */
export function ownCandidates(workload: RestoreWorkload): RestoreCandidate[] {
  const { target } = workload;
  const common = {
    connection: 'socket',
    prepare: () => target.create(),
    clear: () => target.drop(),
  } as const;
  const bare = (lanes: number, scope: 'rows' | 'complete'): RestoreCandidate => ({
    ...{ ...common, kind: 'bare', name: 'bare COPY FROM STDIN', lanes, scope },
    run: () => runBare(workload, lanes, scope),
  });
  const own = (lanes: number, scope: Scope): RestoreCandidate => ({
    ...{ ...common, kind: 'own', name: 'Mainstay', lanes, scope },
    proves: scope === 'compared' ? `${proved}, restored rows` : proved,
    run: () => runOwn(workload, lanes, scope),
  });
  return laneCounts.flatMap((lanes) => [
    bare(lanes, 'rows'),
    own(lanes, 'rows'),
    bare(lanes, 'complete'),
    own(lanes, 'complete'),
    own(lanes, 'compared'),
  ]);
}

async function runBare(
  { target: { connection }, texts, laneScript }: RestoreWorkload,
  lanes: number,
  scope: 'rows' | 'complete',
): Promise<Measurement> {
  const shares = texts.files.get(lanes) ?? [];
  const phases = [
    await runPhase(
      laneScript,
      shares.map((share) => ({ mode: 'copy', connection, files: [...share] })),
    ),
  ];
  if (scope === 'complete') {
    phases.push(
      await runPhase(laneScript, [{ mode: 'statements', connection, statements: [...texts.statements] }]),
    );
  }
  return inTurn(phases);
}

async function runOwn(
  { target, backup, store, laneScript }: RestoreWorkload,
  lanes: number,
  scope: Scope,
): Promise<Measurement> {
  const { connection, restoreId } = target;
  const { plan, objects } = backup;
  const { tables } = plan;
  const loads = divide(objects, lanes).map(
    (share, item): RestoreJob => ({
      mode: 'load',
      connection,
      store,
      tables,
      work: { item, objects: share },
    }),
  );
  const phases = [await runPhase(laneScript, loads)];
  if (scope !== 'rows') {
    phases.push(await runPhase(laneScript, [{ mode: 'finish', connection, store, restoreId, plan }]));
  }
  if (scope === 'compared') {
    const items = await planComparison(
      targetServer(connection),
      connection.database,
      tables,
      comparedBytes(backup),
    );
    const comparisons = divide(items, lanes).map((share, item): RestoreJob => {
      const work = { item, ranges: share.flatMap(({ ranges }) => ranges) };
      return { mode: 'compare', connection, tables, work };
    });
    const phase = await runPhase(laneScript, comparisons);
    checkCompared(tables, phase.compared);
    phases.push(phase);
  }
  return inTurn(phases);
}

const comparedBytes = ({ plan: { tables }, textBytes }: StoredBackup): number =>
  Math.max(1_000_000, Math.ceil(textBytes / tables.length / partsPerTable));

async function runPhase(
  script: string,
  jobs: readonly RestoreJob[],
): Promise<Measurement & { compared: ComparedTable[] }> {
  const { seconds, results } = await runTogether(script, jobs, restoreLaneResultSchema);
  return {
    seconds,
    cpuSeconds: sumOf(results, ({ cpuSeconds }) => cpuSeconds),
    peakRssBytes: sumOf(results, ({ peakRssBytes }) => peakRssBytes),
    compared: results.flatMap(({ compared }) => compared),
  };
}

/** @throws when a table is not as it was backed up: a measurement of that would be worth nothing. */
function checkCompared(tables: StoredBackup['plan']['tables'], parts: readonly ComparedTable[]): void {
  for (const { oid, name, rows, digest } of tables) {
    const own = parts.filter(({ table }) => table === oid);
    const same = sumOf(own, (part) => part.rows) === rows;
    if (!same || combineDigests(own.map((part) => part.digest)) !== digest) {
      throw new Error(`${name} is not as it was backed up.`);
    }
  }
}

import type { Client } from 'pg';
import type { Clock } from '../../clock.ts';
import { isoTime } from '../../clock.ts';
import { NotReadyError } from '../../errors.ts';
import type { ShardName } from '../../ids.ts';
import type { CheckNote } from '../drill-record.ts';
import type { DrillFinding } from '../model.ts';
import { type Check, errorText, isAboutStatement, type Subject, type Wrong } from './check.ts';

export interface ChecksDependencies {
  /** In the scratch database, as the role of restores, prepared, with a limit on the time of statements. */
  readonly client: Client;
  readonly clock: Clock;
  /** Milliseconds since the epoch: nothing is begun after it. */
  readonly deadline: number;
  readonly save: (note: CheckNote) => Promise<void>;
}

export interface ChecksWork {
  readonly shard: ShardName;
  /** Objects whose findings do not fail the drill. */
  readonly accepted: readonly string[];
  readonly timeoutSeconds: number;
  readonly checks: readonly Check[];
  /** What earlier calls have noted. */
  readonly notes: readonly CheckNote[];
}

const maxFindings = 25;
/** Looks between two notes: what is not noted is looked at again when an invocation is lost. */
const perNote = 50;

/**
 * Looks at everything that the checks list, in order, and notes what it finds. What is wrong is a finding, never an error.
 *
 * @returns `again` when time ran out: the next call goes on from what is noted.
 * @throws NotReadyError when the database cannot be asked.
 */
export async function runChecks(deps: ChecksDependencies, work: ChecksWork): Promise<'done' | 'again'> {
  for (const check of work.checks) {
    const before = work.notes.find((note) => note.check === check.kind && note.shard === work.shard);
    if (before?.finishedAt !== undefined) continue;
    if ((await runCheck(deps, work, check, before)) === 'again') return 'again';
  }
  return 'done';
}

async function runCheck(
  deps: ChecksDependencies,
  work: ChecksWork,
  check: Check,
  before: CheckNote | undefined,
): Promise<'done' | 'again'> {
  const { clock, save } = deps;
  const startedAt = clock.now();
  let note: CheckNote = before ?? {
    ...{ shard: work.shard, check: check.kind, done: 0, durationMs: 0 },
    ...{ findings: [], findingsTotal: 0, refused: 0 },
  };
  const soFar = note.durationMs;
  const put = async (finishedAt?: string): Promise<void> => {
    note = { ...note, durationMs: soFar + Math.max(0, clock.now() - startedAt) };
    await save(finishedAt === undefined ? note : { ...note, finishedAt });
  };
  const subjects = await asked(() => check.list(deps.client));
  for (const subject of subjects.slice(note.done)) {
    if (clock.now() >= deps.deadline) {
      await put();
      return 'again';
    }
    const wrong = await lookAt(deps.client, subject, work.timeoutSeconds);
    note = wrong === undefined ? { ...note, done: note.done + 1 } : withFinding(note, work, check, wrong);
    if (note.done % perNote === 0) await put();
  }
  await put(isoTime(clock.now()));
  return 'done';
}

function withFinding(note: CheckNote, work: ChecksWork, check: Check, wrong: Wrong): CheckNote {
  const accepted = work.accepted.includes(wrong.object);
  const finding: DrillFinding = {
    shard: work.shard,
    check: check.kind,
    object: wrong.object.slice(0, 400),
    problem: wrong.problem.slice(0, 600),
    accepted,
  };
  return {
    ...note,
    done: note.done + 1,
    findings: note.findings.length < maxFindings ? [...note.findings, finding] : note.findings,
    findingsTotal: note.findingsTotal + 1,
    refused: note.refused + (accepted ? 0 : 1),
  };
}

async function lookAt(client: Client, subject: Subject, timeoutSeconds: number): Promise<Wrong | undefined> {
  return asked(async () => {
    try {
      return await subject.look(client);
    } catch (error) {
      if (!isAboutStatement(error)) throw error;
      return { object: subject.name, problem: errorText(error, timeoutSeconds) };
    }
  });
}

/** An error that is not about a statement is about the way to the server, or the server. */
async function asked<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof NotReadyError) throw error;
    const said = error instanceof Error ? error.message : String(error);
    throw new NotReadyError(`The scratch database could not be checked: ${said}`, { cause: error });
  }
}

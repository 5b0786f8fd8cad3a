import { DamagedObjectError } from '../../errors.ts';
import { readVerified, type VerifyPlace } from '../../objects/verify-object.ts';
import { type SequenceValues, sequenceValuesSchema } from '../../schema/sequences.ts';
import type { StoredObject } from '../../workflow.ts';
import { type DumpEntry, splitDump } from './statements.ts';

/** Reads a stored section of DDL. @throws DamagedObjectError, DependencyError */
export async function readDump(place: VerifyPlace, object: StoredObject): Promise<DumpEntry[]> {
  return splitDump(await readText(place, object));
}

/** Reads the stored values of sequences. @throws DamagedObjectError, DependencyError */
export async function readSequenceValues(place: VerifyPlace, object: StoredObject): Promise<SequenceValues> {
  return sequenceValuesSchema.parse(JSON.parse(await readText(place, object)));
}

/** The whole content of an object that fits in memory. */
async function readText(place: VerifyPlace, object: StoredObject): Promise<string> {
  const pieces: Buffer[] = [];
  const { problem } = await readVerified(place, object, (piece) => void pieces.push(piece));
  if (problem !== undefined) {
    throw new DamagedObjectError(`${object.key} is damaged (${problem.problem}): ${problem.detail}`);
  }
  return Buffer.concat(pieces).toString('utf8');
}

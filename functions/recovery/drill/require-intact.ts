import type { OperationCatalog } from '../catalog/operation-catalog.ts';
import { DamagedObjectError, DrillNotRunningError } from '../errors.ts';
import { operationIdSchema } from '../ids.ts';
import type { DrillId } from './ids.ts';

/**
 * Whether the verification that a drill has run found the stored objects as they were stored.
 * @throws DamagedObjectError naming the first object that is not.
 */
export async function requireIntact(operations: OperationCatalog, id: DrillId): Promise<void> {
  const operationId = operationIdSchema.parse(id);
  if ((await operations.get(operationId))?.state !== 'completed') {
    throw new DrillNotRunningError(`The verification of drill ${id} has not completed.`);
  }
  const { findings } = await operations.checked(operationId);
  const [first] = findings;
  if (first === undefined) return;
  throw new DamagedObjectError(
    `${findings.length} objects are not as they were stored. The first: ${first.object} (${first.problem}): ${first.detail}`,
  );
}

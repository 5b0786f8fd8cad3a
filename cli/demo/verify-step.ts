import type { Operation } from '../../functions/recovery/model.ts';
import type { RecoveryApi } from '../recovery-api.ts';
import { endedText } from '../views/ended.ts';
import { findingsText } from '../views/findings.ts';
import { watchVerification } from '../work-bars.ts';
import type { DemoOutput } from './demo-output.ts';
import { operationMs } from './summary.ts';

/**
 * Verifies a backup.
 *
 * @throws when it does not find exactly as many wrong objects as there are.
 */
export async function verify(
  api: RecoveryApi,
  out: DemoOutput,
  backupId: string,
  expected: number,
): Promise<Operation> {
  const { id } = await api.startVerification(backupId);
  const operation = await watchVerification(api, id, { output: out.output, title: 'verify' });
  if (operation.state !== 'completed') {
    throw new Error(endedText(`The verification ${id}`, operation));
  }
  const { findingsTotal, progress } = operation;
  const found = findingsTotal === 0 ? 'all right' : `${findingsTotal} wrong`;
  out.done(`verified: ${progress.objectsTotal ?? 0} objects, ${found}`, operationMs(operation));
  if (findingsTotal > 0) out.say(findingsText(operation, out.output));
  if (findingsTotal !== expected) {
    throw new Error(`The verification found ${findingsTotal} wrong objects where there are ${expected}.`);
  }
  return operation;
}

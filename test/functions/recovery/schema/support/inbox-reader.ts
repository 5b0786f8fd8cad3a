import { parentPort, workerData } from 'node:worker_threads';
import { SharedInbox } from '../../../../../functions/recovery/schema/shared-inbox.ts';

/** Takes what is put in, and tells of each, until the writer closes. */
const inbox = new SharedInbox(workerData);
try {
  for (;;) parentPort?.postMessage({ taken: Buffer.from(inbox.take()).toString('utf8') });
} catch (error) {
  parentPort?.postMessage({ ended: error instanceof Error ? error.message : String(error) });
}

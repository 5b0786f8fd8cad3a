import { parentPort, workerData } from 'node:worker_threads';
import * as z from 'zod';
import { SharedInbox } from './schema/shared-inbox.ts';
import {
  answerInTransaction,
  asksForEncryption,
  greeting,
  isTerminate,
  QuestionTracker,
} from './schema/wire.ts';

/** What this thread is started with. */
const inputSchema = z.object({
  args: z.array(z.string()),
  inbox: z.instanceof(SharedArrayBuffer),
  parameters: z.record(z.string(), z.string()),
  inTransaction: z.boolean(),
});

/** The part of a PGlite database that pg_dump uses. */
interface DumpTarget {
  query(sql: string): Promise<{ rows: { search_path: string }[] }>;
  exec(sql: string): Promise<unknown>;
  execProtocolRawStream(sent: Uint8Array, options: { onRawData: (received: Uint8Array) => void }): unknown;
}

type PgDump = (options: { pg: DumpTarget; args: string[] }) => Promise<{ text(): Promise<string> }>;

/** The package declares that it takes a PGlite database; it uses no more of it than `DumpTarget` has. */
const dumpModule = z.object({ pgDump: z.custom<PgDump>((value) => typeof value === 'function') });

/**
 * Runs pg_dump in a thread of its own. pg_dump calls out whenever it sends; what it reads next has to be there when
 * that call returns, so this thread blocks until the main thread, which owns the connection, has the answer.
 */
async function main(): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error('This module runs in a worker thread.');
  const { args, inbox: memory, parameters, inTransaction } = inputSchema.parse(workerData);
  const inbox = new SharedInbox(memory);
  const questions = new QuestionTracker();
  let greeted = false;

  const target: DumpTarget = {
    query: async () => ({ rows: [{ search_path: '""' }] }),
    exec: async () => [],
    execProtocolRawStream(sent, { onRawData }) {
      const packet = Buffer.from(sent);
      if (!greeted) {
        const refusal = asksForEncryption(packet);
        greeted = !refusal;
        onRawData(refusal ? Buffer.from('N') : greeting(parameters));
        return;
      }
      if (isTerminate(packet)) return;
      const answer = inTransaction ? answerInTransaction(packet) : undefined;
      if (answer !== undefined) {
        onRawData(answer);
        return;
      }
      const asking = questions.sent(packet);
      port.postMessage({ kind: 'sent', bytes: packet, asking });
      while (asking) {
        port.postMessage({ kind: 'wants' });
        const received = inbox.take();
        if (received.length === 0) return;
        onRawData(received.slice());
      }
    },
  };

  const { pgDump } = dumpModule.parse(await import('@electric-sql/pglite-tools/pg_dump'));
  const dump = await pgDump({ pg: target, args });
  port.postMessage({ kind: 'dumped', sql: await dump.text() });
}

main().catch((error: unknown) => {
  const message = error instanceof Error ? error.message : String(error);
  parentPort?.postMessage({ kind: 'failed', message });
});

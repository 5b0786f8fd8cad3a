/** The end of every alarm's description: where its runbook is. */
const runbookLine = /^Runbook: (\S+)$/m;

/** What the description of an alarm says, and where its runbook is; null where it does not say. */
export function readDescription(description: string | undefined): {
  text: string | null;
  runbook: string | null;
} {
  const text = (description ?? '').replace(runbookLine, '').trim();
  return { text: text === '' ? null : text, runbook: runbookLine.exec(description ?? '')?.[1] ?? null };
}

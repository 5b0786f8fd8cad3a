/** Everything that functions write while they run: log lines and metrics, kept away from the test report. */
const lines: string[] = [];

process.env.POWERTOOLS_SERVICE_NAME ??= 'test';
process.env.POWERTOOLS_METRICS_NAMESPACE ??= 'Mainstay/test';
// Powertools writes to the standard streams by itself, so they are where it is listened to.
for (const stream of [process.stdout, process.stderr]) {
  const original = stream.write.bind(stream);
  stream.write = (chunk: Uint8Array | string, ...rest: never[]): boolean => {
    const text = String(chunk);
    if (!text.startsWith('{')) return original(chunk, ...rest);
    lines.push(...text.split('\n').filter((line) => line !== ''));
    return true;
  };
}

/** The lines since the last call, as they were written. Import this file before anything under functions/. */
export function takeOutput(): string[] {
  return lines.splice(0);
}

/** The lines since the last call, parsed; without those in which functions tell of their invocations. */
export function takeRecords(): Record<string, unknown>[] {
  return parsed(takeOutput()).filter(({ kind }) => kind !== invocationMark);
}

/** What functions told of their invocations since the last call. */
export function takeInvocations(): Record<string, unknown>[] {
  return parsed(takeOutput()).filter(({ kind }) => kind === invocationMark);
}

const invocationMark = 'mainstay.invocation';

const parsed = (texts: readonly string[]) => texts.map((line): Record<string, unknown> => JSON.parse(line));

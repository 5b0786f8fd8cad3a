import pg from 'pg';

/** The server is going down or coming up, or ended the session; class 08 is the connection itself. */
const ended = new Set(['57P01', '57P02', '57P03', '57P05']);

/** Whether the connection is of no use any more, or never came to be. */
export function isConnectionError(error: unknown): boolean {
  // A value that cannot be sent: the caller's, and nothing was.
  if (error instanceof TypeError) return false;
  if (!(error instanceof pg.DatabaseError)) return true;
  const code = error.code ?? '';
  return code.startsWith('08') || ended.has(code) || code === '53300';
}

/** Whether the instance refused to write because it is a reader, or a writer that was fenced. */
export function isReadOnly(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === '25006';
}

/** Whether a reader gave a statement up because what it read was to be removed: elsewhere it may succeed. */
export function isRecoveryConflict(error: unknown): boolean {
  return (
    error instanceof pg.DatabaseError &&
    error.code === '40001' &&
    error.message.includes('conflict with recovery')
  );
}

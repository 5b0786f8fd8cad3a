import type { HistoryEvent } from './history.ts';

/** How a state machine logs, as its template's `LoggingConfiguration` says. */
export interface ExecutionLogging {
  level: 'ALL' | 'ERROR' | 'FATAL' | 'OFF';
  /** Whether inputs and outputs are in the log. */
  includeExecutionData: boolean;
  /** The log group. */
  groupName: string;
}

/** What each level logs. */
const levels: Readonly<Record<ExecutionLogging['level'], (type: string) => boolean>> = {
  ALL: () => true,
  ERROR: (type) => /(Failed|TimedOut|Aborted)$/.test(type),
  FATAL: (type) => /^Execution(Failed|TimedOut|Aborted)$/.test(type),
  OFF: () => false,
};
const data = new Set(['input', 'output', 'parameters']);

/** Writes events as lines of a log group, in the form that Step Functions gives them. */
export function executionLog(
  logging: ExecutionLogging | undefined,
  executionArn: string,
  write: (groupName: string, streamName: string, message: string, time: number) => void,
): (event: HistoryEvent) => void {
  if (logging === undefined) return () => undefined;
  const { level, includeExecutionData, groupName } = logging;
  // `arn:…:execution:<state machine>:<name>`
  const streamName = `states/${executionArn.split(':').slice(-2).join('/')}`;
  return ({ id, previousEventId, timestamp, type, details = {} }) => {
    if (!levels[level](type)) return;
    const shown = Object.entries(details).filter(([name]) => includeExecutionData || !data.has(name));
    const line = {
      id: String(id),
      type,
      details: Object.fromEntries(shown),
      previous_event_id: String(previousEventId),
      event_timestamp: String(timestamp),
      execution_arn: executionArn,
      redrive_count: '0',
    };
    write(groupName, streamName, JSON.stringify(line), timestamp);
  };
}

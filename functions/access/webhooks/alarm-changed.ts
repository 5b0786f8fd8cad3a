import { readDescription } from '../../shared/runbook.ts';
import type { AlarmChanged, AlarmReport } from './events.ts';

/** What the platform is told when an alarm changes its state. */
export function alarmChanged({ id, time, detail }: AlarmReport, traceparent: string): AlarmChanged {
  const { alarmName, state, previousState, configuration } = detail;
  const { text, runbook } = readDescription(configuration?.description);
  const since = isoTime(state.timestamp) ?? time;
  return {
    version: 1,
    eventId: id,
    name: alarmName,
    description: text,
    state: state.value,
    previousState: previousState?.value ?? null,
    reason: state.reason,
    since,
    runbook,
    at: since,
    traceparent,
  };
}

/** CloudWatch writes `+0000` where RFC 3339 has `Z`. */
function isoTime(text: string | undefined): string | undefined {
  const at = Date.parse(text?.replace(/([+-]\d\d)(\d\d)$/, '$1:$2') ?? '');
  return Number.isNaN(at) ? undefined : new Date(at).toISOString();
}

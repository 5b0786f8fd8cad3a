import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';
import type { RouteContract } from '../../../functions/shared/contract.ts';
import type { Arrival } from '../../../functions/shared/gate.ts';
import { continueTrace } from '../../../functions/shared/traceparent.ts';

class ListeningLogger extends Logger {
  heard: (line: unknown[]) => void = () => {};
  override error(...line: Parameters<Logger['error']>): void {
    this.heard(line);
  }
}

/** A request that has arrived at a route; `heard` gets the errors that are logged. */
export function arrivalAt(route: RouteContract, heard: (line: unknown[]) => void = () => {}): Arrival {
  const log = new ListeningLogger();
  log.heard = heard;
  return {
    route,
    request: {
      method: route.method,
      path: route.path,
      headers: {},
      sourceIp: '192.0.2.1',
      requestId: 'request-1',
      time: new Date('2026-11-20T10:00:00Z'),
    },
    trace: continueTrace(undefined, undefined),
    log,
    metrics: new Metrics(),
    remainingMs: () => 30_000,
  };
}

import type { EventRecord } from './event-store.ts';

/** Why an event is done with. */
export type EventEnd = 'Success' | 'RetriesExhausted' | 'EventAgeExceeded';

/** What the last attempt gave; none, when the event was never tried. */
export interface EventResponse {
  payload: string;
  failed: boolean;
  executedVersion: string;
}

/** The record that a destination receives, in Lambda's format. */
export function destinationRecord(
  event: EventRecord,
  condition: EventEnd,
  response: EventResponse | undefined,
): Record<string, unknown> {
  const hasQualifier = event.functionArn.split(':').length > 7;
  return {
    version: '1.0',
    timestamp: new Date().toISOString(),
    requestContext: {
      requestId: event.requestId,
      functionArn: hasQualifier ? event.functionArn : `${event.functionArn}:$LATEST`,
      condition,
      approximateInvokeCount: event.attempts,
    },
    requestPayload: JSON.parse(event.payload),
    ...(response === undefined
      ? {}
      : {
          responseContext: {
            statusCode: 200,
            executedVersion: response.executedVersion,
            ...(response.failed ? { functionError: 'Unhandled' } : {}),
          },
          responsePayload: JSON.parse(response.payload),
        }),
  };
}

import type * as z from 'zod';
import type { importSegmentEventSchema, importSegmentResultSchema } from './events.ts';
import {
  compressSegment,
  encryptSegment,
  hashSegment,
  type SegmentDependencies,
  storeSegment,
  verifySegment,
} from './segment-stages.ts';

type Event = z.output<typeof importSegmentEventSchema>;
type Result = z.output<typeof importSegmentResultSchema>['segment'];

/** Does what one state of the workflow does for a segment; the result is the next state's. */
export function runSegmentState(deps: SegmentDependencies, event: Event): Promise<Result> {
  switch (event.phase) {
    case 'compress':
      return compressSegment(deps, event.segment);
    case 'encrypt':
      return encryptSegment(deps, event.segment);
    case 'hash':
      return hashSegment(deps, event.segment);
    case 'store':
      return storeSegment(deps, event.segment);
    case 'verify':
      return verifySegment(deps, event.segment);
  }
}

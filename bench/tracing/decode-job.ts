import * as z from 'zod';
import { decoderSchema } from './decoders.ts';

export const jobSchema = z.object({
  decoder: decoderSchema,
  /** How many spans to read at least. */
  spans: z.int(),
});

export const decodeResultSchema = z.object({
  /** Spans for each second of CPU time, of all threads together. */
  perSecond: z.number(),
  peakRssBytes: z.number(),
  /** Of protobuf. */
  bytesOfSpan: z.number(),
});
export type DecodeResult = z.output<typeof decodeResultSchema>;

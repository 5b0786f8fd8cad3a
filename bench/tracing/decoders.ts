import { deepStrictEqual } from 'node:assert/strict';
import * as z from 'zod';
import { takeIn } from '../../functions/tracing/ingest/intake.ts';
import { spanLimitsSchema } from '../../functions/tracing/ingest/limits.ts';
import type { ResourceSpans } from '../../functions/tracing/model.ts';
import { tracesFromJson } from '../../functions/tracing/otlp/from-json.ts';
import { tracesFromProtobuf } from '../../functions/tracing/otlp/from-protobuf.ts';
import { tracesToProtobuf } from '../../functions/tracing/query/encode/to-protobuf.ts';
import { statsItems } from '../../functions/tracing/stats/stats-items.ts';
import { blockItems, flatten, nameItems, traceItems } from '../../functions/tracing/store/items.ts';
import { requestType } from './otlp-schema.ts';
import { messageOf } from './spans.ts';

export const decoderSchema = z.enum([
  'protobufjs',
  'protobuf',
  'protobuf-items',
  'json-parse',
  'json',
  'json-items',
]);
export type Decoder = z.output<typeof decoderSchema>;

export const decoderNames: Readonly<Record<Decoder, string>> = {
  protobufjs: 'protobuf: protobufjs decodes, alone',
  protobuf: 'protobuf: Mainstay decodes',
  'protobuf-items': 'protobuf: Mainstay, to the items that are stored',
  'json-parse': 'JSON: JSON.parse, alone',
  json: 'JSON: Mainstay decodes',
  'json-items': 'JSON: Mainstay, to the items that are stored',
};

export const spansOfRequest = 512;
const retentionDays = 7;
const limits = spanLimitsSchema.parse({});

/** Different requests, each in both encodings. */
export function requests(count: number): { protobuf: Uint8Array; json: string }[] {
  return Array.from({ length: count }, (_, seed) => {
    const batch = { seed, traces: 64, spansOfTrace: 8, startMs: Date.now() - 60_000, withinMs: 5_000 };
    const message = messageOf(batch);
    return { protobuf: tracesToProtobuf(message), json: JSON.stringify({ resourceSpans: message }) };
  });
}

type Request = ReturnType<typeof requests>[number];

/** What a candidate does with a request. */
export function decodeWith(decoder: Decoder, { protobuf, json }: Request): unknown {
  switch (decoder) {
    case 'protobufjs':
      return requestType.decode(protobuf);
    case 'protobuf':
      return tracesFromProtobuf(Buffer.from(protobuf));
    case 'protobuf-items':
      return itemsOf(tracesFromProtobuf(Buffer.from(protobuf)));
    case 'json-parse':
      return JSON.parse(json);
    case 'json':
      return tracesFromJson(json);
    case 'json-items':
      return itemsOf(tracesFromJson(json));
  }
}

function itemsOf(message: readonly ResourceSpans[]) {
  const { batch } = takeIn(message, { limits, retentionDays, now: Date.now() });
  const spans = flatten(batch);
  return [traceItems, blockItems, nameItems, statsItems].flatMap((make) => make(spans, retentionDays));
}

/** @throws AssertionError when the candidates do not read the same: then their speeds are not comparable. */
export function requireSame(request: Request): void {
  const { protobuf, json } = request;
  const own = tracesFromProtobuf(Buffer.from(protobuf));
  deepStrictEqual(own, tracesFromJson(json));
  deepStrictEqual(own, JSON.parse(json).resourceSpans);
  const theirs = requestType.toObject(requestType.decode(protobuf), { longs: String });
  deepStrictEqual(briefly(fromPeer(theirs)), briefly(flatten(own).map(({ span }) => span)));
}

const bytes = z.instanceof(Uint8Array).transform((value) => Buffer.from(value).toString('hex'));
const peerSchema = z.object({
  resourceSpans: z.array(
    z.object({
      scopeSpans: z.array(
        z.object({
          spans: z.array(
            z.object({
              ...{ traceId: bytes, spanId: bytes, name: z.string(), startTimeUnixNano: z.string() },
              ...{ endTimeUnixNano: z.string(), attributes: z.array(z.object({ key: z.string() })) },
            }),
          ),
        }),
      ),
    }),
  ),
});

const fromPeer = (message: unknown) =>
  peerSchema
    .parse(message)
    .resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));

interface Brief {
  readonly traceId: string;
  readonly spanId: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string }[];
}
const briefly = (spans: readonly Brief[]) =>
  spans.map(({ traceId, spanId, name, startTimeUnixNano, endTimeUnixNano, attributes }) => [
    ...[traceId, spanId, name, startTimeUnixNano, endTimeUnixNano],
    ...attributes.map(({ key }) => key),
  ]);

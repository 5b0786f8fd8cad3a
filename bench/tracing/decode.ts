import { median } from '../measure/statistics.ts';
import { runTogether } from '../measure/together.ts';
import { bytes, number } from '../report/figures.ts';
import type { Report } from '../report/report.ts';
import { type DecodeResult, decodeResultSchema } from './decode-job.ts';
import {
  type Decoder,
  decoderNames,
  decoderSchema,
  requests,
  requireSame,
  spansOfRequest,
} from './decoders.ts';

const script = new URL('decode-main.ts', import.meta.url).pathname;
const spans = 100_000;
/** Spans a second and core, from the body of a request to the items that are stored. */
const aim = 20_000;

/** Measures how fast requests of OTLP are read, beside what only reads them. */
export async function measureDecode(options: {
  rounds: number;
  progress: (text: string) => void;
}): Promise<Report> {
  for (const request of requests(3)) requireSame(request);
  const rounds = new Map<Decoder, DecodeResult[]>(decoderSchema.options.map((decoder) => [decoder, []]));
  for (let round = 1; round <= options.rounds; round++) {
    for (const [decoder, measured] of rounds) {
      options.progress(`OTLP, round ${round} of ${options.rounds}: ${decoderNames[decoder]}`);
      const { results } = await runTogether(script, [{ decoder, spans }], decodeResultSchema);
      measured.push(...results);
    }
  }
  const middle = (decoder: Decoder, of: (result: DecodeResult) => number) =>
    median((rounds.get(decoder) ?? []).map(of));
  const speed = (decoder: Decoder) => middle(decoder, ({ perSecond }) => perSecond);
  const against = (own: Decoder, peer: Decoder) =>
    `${decoderNames[own]}: ${(speed(own) / speed(peer)).toFixed(2)}× the speed of “${decoderNames[peer]}”.`;
  const slowest = Math.min(speed('protobuf-items'), speed('json-items'));
  return {
    title: 'Traces: from OTLP to items',
    setting: [
      `${spans} spans in requests of ${spansOfRequest}, 8 to a trace, 10 attributes and ${Math.round(middle('protobuf', ({ bytesOfSpan }) => bytesOfSpan))} bytes of protobuf each; one warm process for each line.`,
      'Spans for each second of CPU time, all threads together. Items are checked, grouped, packed by zstd, and counted. All were seen to read the same.',
    ],
    columns: [
      { title: 'What' },
      { title: 'spans/s per core', align: 'right' },
      { title: 'peak memory', align: 'right' },
    ],
    rows: decoderSchema.options.map((decoder) => [
      decoderNames[decoder],
      number(speed(decoder), 0),
      bytes(middle(decoder, ({ peakRssBytes }) => peakRssBytes)),
    ]),
    findings: [
      `To items at ${Math.round(slowest)} spans/s per core or more; the aim, ${aim}, is ${slowest >= aim ? 'met' : 'missed'}.`,
      against('protobuf', 'protobufjs'),
      against('json', 'json-parse'),
    ],
  };
}

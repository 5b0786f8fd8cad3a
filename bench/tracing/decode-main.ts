import { once } from 'node:events';
import { ownPeakBytes } from '../measure/own-process.ts';
import { type DecodeResult, jobSchema } from './decode-job.ts';
import { decodeWith, requests, spansOfRequest } from './decoders.ts';

/** One process that reads requests one after another, as an execution environment does. */
const [message] = await once(process, 'message');
const { decoder, spans } = jobSchema.parse(message);
const some = requests(20);
// Until the code is compiled.
for (let round = 0; round < 2; round++) for (const request of some) decodeWith(decoder, request);
process.send?.({ ready: true });
await once(process, 'message');

const cpu = process.cpuUsage();
let done = 0;
for (let index = 0; done < spans; index++, done += spansOfRequest) {
  const request = some[index % some.length];
  if (request !== undefined) decodeWith(decoder, request);
}
const { user, system } = process.cpuUsage(cpu);
const result: DecodeResult = {
  perSecond: done / ((user + system) / 1e6),
  peakRssBytes: ownPeakBytes(),
  bytesOfSpan: (some[0]?.protobuf.length ?? 0) / spansOfRequest,
};
process.send?.(result);

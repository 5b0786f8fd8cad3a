import type { Report } from '../report/report.ts';
import { measureDecode } from './decode.ts';
import { measureIngest } from './ingest.ts';
import { measureSearch } from './search.ts';
import { measureSketch } from './sketch.ts';

/** Measures what traces cost: reading them, taking them in, finding them; and how right percentiles are. */
export async function measureTracing(options: {
  rounds: number;
  progress: (text: string) => void;
}): Promise<Report[]> {
  return [
    await measureDecode(options),
    await measureIngest(options),
    await measureSearch({ ...options, spans: 1_000_000 }),
    measureSketch(options),
  ];
}

import { prices } from '../../lib/costs/prices.ts';
import type { Simulated } from './simulate.ts';
import { textOfChunk, type Workload } from './workload.ts';

/** What a simulated backup asks of AWS, and what that costs. */
export interface Requests {
  readonly storedBytes: number;
  /** Requests to S3 that write: parts, and what begins and completes an upload. */
  readonly puts: number;
  readonly gets: number;
  /** A data key for each object, and its decryption when the object is read back. */
  readonly kms: number;
  readonly dynamoWrites: number;
  readonly gigabyteSeconds: number;
  readonly dollars: number;
}

/** Memory of the functions that copy and read back, in GB. */
const functionGb = 1.769;
/** Notes of a chunk: stored, verified, and what keeps its lease. */
const writesOfChunk = 4;

/** By arithmetic, from the counts of the simulation. */
export function requestsOf(
  work: Workload,
  { children, transitions, invocations, functionSeconds }: Simulated,
): Requests {
  const stored = textOfChunk(work) / work.compression;
  const puts = children * (Math.ceil(stored / work.partBytes) + 2);
  const gets = children * 2;
  const kms = children * 2;
  const dynamoWrites = children * writesOfChunk;
  const gigabyteSeconds =
    Object.values(functionSeconds).reduce((sum, seconds) => sum + seconds, 0) * functionGb;
  const million = 1e6;
  return {
    storedBytes: children * stored,
    puts,
    gets,
    kms,
    dynamoWrites,
    gigabyteSeconds,
    dollars:
      gigabyteSeconds * prices.lambdaCompute.dollars +
      (invocations / million) * prices.lambdaRequests.dollars +
      (puts / million) * prices.s3Puts.dollars +
      (kms / million) * prices.kmsRequests.dollars +
      (dynamoWrites / million) * prices.dynamoWrites.dollars +
      (transitions / million) * prices.transitions.dollars,
  };
}

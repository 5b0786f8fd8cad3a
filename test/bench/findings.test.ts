import { describe, expect, it } from '@jest/globals';
import type { CandidateKind, Measurement } from '../../bench/backup/candidate.ts';
import { findingsOf } from '../../bench/backup/findings.ts';
import type { Result } from '../../bench/backup/rounds.ts';

function result(kind: CandidateKind, lanes: number, measurement: Partial<Measurement>): Result {
  const median = { seconds: 1, cpuSeconds: 1, peakRssBytes: 100e6, ...measurement };
  const run = () => Promise.resolve(median);
  return { candidate: { name: kind, kind, lanes, connection: 'socket', run }, median };
}

describe('what a run of the backup suite says', () => {
  it('compares with the bare COPY at the same number of connections', () => {
    const results = [
      result('copy', 1, { seconds: 0.8 }),
      result('store', 1, { seconds: 1 }),
      result('copy', 2, { seconds: 0.3 }),
      result('store', 2, { seconds: 0.6 }),
    ];
    expect(findingsOf(results)).toEqual([
      '0.80× the speed of bare COPY, 1 connection; the aim, at least 0.75×, is met.',
      '0.50× the speed of bare COPY, 2 connections; the aim, at least 0.75×, is missed.',
    ]);
  });

  it('names a peer and every respect in which it was better', () => {
    const results = [
      result('store', 1, { seconds: 2, storedBytes: 52e6 }),
      result('restic', 1, { seconds: 4, cpuSeconds: 0.5, peakRssBytes: 90e6, storedBytes: 50e6 }),
    ];
    expect(findingsOf(results)).toEqual([
      '2.00× the speed of restic, 1 connection; the aim, at least 2.00×, is met.',
      'We lose to restic at 1 connection: takes 0.50 of the CPU time, has in memory 90.0 MB instead of 100.0 MB, stores 50.0 MB instead of 52.0 MB.',
    ]);
  });

  it('compares a pipe that keeps nothing with the pipeline into nothing', () => {
    const results = [
      result('null', 2, { seconds: 1 }),
      result('store', 2, { seconds: 9, storedBytes: 106 }),
      result('pipeline', 2, { seconds: 0.5, storedBytes: 100 }),
    ];
    const [bytes, loss] = findingsOf(results);
    expect(bytes).toBe('1.06× the bytes of zstd -3, 2 connections; the aim, at most 1.05×, is missed.');
    expect(loss).toBe('We lose to pipeline at 2 connections: it is 2.00× as fast.');
  });

  it('passes over differences that are no more than noise', () => {
    const results = [result('store', 2, { seconds: 1.02 }), result('pg_dump', 2, { seconds: 1 })];
    expect(findingsOf(results)).toEqual([]);
  });
});

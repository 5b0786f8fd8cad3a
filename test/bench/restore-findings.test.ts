import { describe, expect, it } from '@jest/globals';
import type { Measurement } from '../../bench/backup/candidate.ts';
import type { Result } from '../../bench/backup/rounds.ts';
import {
  inTurn,
  type RestoreCandidate,
  type RestoreKind,
  type Scope,
} from '../../bench/restore/candidate.ts';
import { findingsOf } from '../../bench/restore/findings.ts';

function result(
  kind: RestoreKind,
  scope: Scope,
  measurement: Partial<Measurement>,
  lanes = 2,
): Result<RestoreCandidate> {
  const median = { seconds: 1, cpuSeconds: 1, peakRssBytes: 100e6, ...measurement };
  const run = () => Promise.resolve(median);
  return { candidate: { name: kind, kind, scope, lanes, connection: 'socket', run }, median };
}

describe('what a run of the restore suite says', () => {
  it('compares with the bare COPY that does as much, at the same number of connections', () => {
    const results = [
      result('bare', 'rows', { seconds: 0.5 }),
      result('own', 'rows', { seconds: 1 }),
      result('bare', 'complete', { seconds: 3 }),
      result('own', 'complete', { seconds: 4 }),
      result('own', 'rows', { seconds: 1 }, 1),
    ];
    expect(findingsOf(results)).toEqual([
      '0.50× the speed of bare COPY, rows only, 2 connections.',
      '0.75× the speed of bare COPY, indexes on both sides, 2 connections.',
    ]);
  });

  it('holds the restore with its indexes against pg_restore, and names what that is better in', () => {
    const results = [
      result('own', 'complete', { seconds: 2 }),
      result('pg_restore', 'complete', { seconds: 1.5, peakRssBytes: 20e6 }),
    ];
    expect(findingsOf(results)).toEqual([
      '0.75× the speed of pg_restore -j2, 2 connections; the aim, at least 1.00×, is missed.',
      'We lose to pg_restore at 2 connections: it is 1.33× as fast, has in memory 20.0 MB instead of 100.0 MB.',
    ]);
  });

  it('says what reading all rows again costs', () => {
    const results = [result('own', 'complete', { seconds: 2 }), result('own', 'compared', { seconds: 2.5 })];
    expect(findingsOf(results)).toEqual([
      'The comparison adds 25 % to the time of a restore, 2 connections.',
    ]);
  });

  it('counts plain text as no peer: it proves nothing and was never stored', () => {
    const results = [result('own', 'complete', { seconds: 2 }), result('psql', 'complete', { seconds: 1 })];
    expect(findingsOf(results)).toEqual([]);
  });
});

describe('phases one after the other', () => {
  it('add up in time, and hold in memory what the largest of them holds', () => {
    const rows = { seconds: 2, cpuSeconds: 3, peakRssBytes: 200 };
    const indexes = { seconds: 1, cpuSeconds: 0.5, peakRssBytes: 90 };
    expect(inTurn([rows, indexes])).toEqual({ seconds: 3, cpuSeconds: 3.5, peakRssBytes: 200 });
    const unknown = { seconds: 1, cpuSeconds: 1, peakRssBytes: undefined };
    expect(inTurn([unknown, unknown]).peakRssBytes).toBeUndefined();
  });
});

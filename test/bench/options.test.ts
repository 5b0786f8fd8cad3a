import { describe, expect, it } from '@jest/globals';
import { parseOptions } from '../../bench/options.ts';

describe('the command line of the benchmarks', () => {
  it('runs every suite at a moderate size by default', () => {
    expect(parseOptions([])).toEqual({
      only: [
        'backup',
        'restore',
        'incremental',
        'load',
        'local',
        'limits',
        'stack',
        'scale',
        'files',
        'edge',
        'cdn',
        'shards',
        'tracing',
      ],
      sizeMb: 240,
      rounds: 3,
      json: false,
      help: false,
    });
  });

  it('takes a list of suites, a size and a number of rounds', () => {
    const options = parseOptions(['--only', 'load, local', '--size', '1000', '--rounds', '5', '--json']);
    expect(options).toMatchObject({ only: ['load', 'local'], sizeMb: 1000, rounds: 5, json: true });
  });

  it.each([
    [
      '--only',
      'everything',
      /--only takes backup, restore, incremental, load, local, limits, stack, scale, files, edge, cdn, shards, tracing, not everything/,
    ],
    ['--size', '0', /--size takes a whole number from 1 to 100000, not 0/],
    ['--size', 'big', /--size takes/],
    ['--rounds', '1.5', /--rounds takes/],
  ])('refuses %s %s and says what it takes', (option, value, message) => {
    expect(() => parseOptions([option, value])).toThrow(message);
  });
});

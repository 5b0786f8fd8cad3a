import TestSequencer from '@jest/test-sequencer';

/** Files that take longest, or wait for most, in the order in which they begin; all others fill the gaps between them. */
const first = [/\/(e2e|faults)\//, /\/recovery\//, /\/lib\//, /\/postgres\//];

const rank = ({ path }) => {
  const found = first.findIndex((pattern) => pattern.test(path));
  return found === -1 ? first.length : found;
};

/** Long files first, also where no earlier run has told how long they take. */
export default class LongestFirst extends TestSequencer {
  sort(tests) {
    return [...super.sort(tests)].sort((a, b) => rank(a) - rank(b));
  }
}

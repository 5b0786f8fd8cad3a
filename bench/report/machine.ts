import { availableParallelism, totalmem } from 'node:os';
import { formatBytes } from '../../cli/units.ts';

/** The machine in general terms: what explains the numbers, and nothing that names it. */
export const machine = (): string =>
  [
    `${availableParallelism()} cores`,
    `${formatBytes(totalmem())} memory`,
    `${process.platform} ${process.arch}`,
    `Node.js ${process.versions.node}`,
  ].join(', ');

import * as z from 'zod';
import type { RouteContract } from '../../shared/contract.ts';

const bytes = z.int().min(0);

/** The routes of the system itself. */
export const systemRoutes = {
  stats: {
    method: 'GET',
    path: '/api/admin/stats',
    scope: 'admin',
    summary: 'The system: process, memory, CPU, disk, and the functions nearest to their limits',
    description:
      'Functions have no machine of their own: `process` is the execution environment that answers, one of many. `functions` is of all of them, over the last 24 hours.',
    responses: {
      200: {
        description: 'Statistics.',
        schema: z.strictObject({
          version: z.string(),
          environment: z.string(),
          process: z.strictObject({
            node: z.string(),
            startedAt: z.iso.datetime(),
            uptimeSeconds: z.number().min(0),
            cpuUserMs: z.number().min(0),
            cpuSystemMs: z.number().min(0),
            memoryBytes: bytes.describe('Resident.'),
            memoryLimitBytes: bytes,
            heapUsedBytes: bytes,
            heapLimitBytes: bytes,
          }),
          disk: z
            .strictObject({ path: z.string(), sizeBytes: bytes, freeBytes: bytes })
            .nullable()
            .describe('Where functions may write; null where that cannot be told.'),
          functions: z.strictObject({
            invocations: z.int(),
            errors: z.int(),
            coldStarts: z.int(),
            memory: z
              .array(z.strictObject({ function: z.string(), peakBytes: bytes, limitBytes: bytes }))
              .describe('The five that have come nearest to their limit.'),
          }),
        }),
      },
    },
  },
} as const satisfies Record<string, RouteContract>;

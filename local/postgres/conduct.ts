import * as z from 'zod';

/** How a cluster behaves, beyond what a template says of it: for tests of faults. */
export const conductSchema = z.strictObject({
  /**
   * How long a crashed server stays down, in milliseconds; null: until somebody starts it. Absent: as all clusters of the
   * runtime do.
   */
  restartAfterMs: z.number().int().min(0).nullable().optional(),
  /**
   * Whether a commit waits until a standby has it. After a promotion it does not, until there is a standby again: whoever manages
   * a cluster prefers service to a second copy then. Default false.
   */
  synchronous: z.boolean().optional(),
  /**
   * Whether nobody manages the cluster, as one on machines of one's own: every server starts again as what it was when it ended,
   * whatever has become of the others; there is no failover but by SQL. Default false.
   */
  selfManaged: z.boolean().optional(),
});
export type Conduct = z.output<typeof conductSchema>;

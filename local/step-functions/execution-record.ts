import * as z from 'zod';

export const executionStatuses = ['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED'] as const;
export type ExecutionStatus = (typeof executionStatuses)[number];

/** What is kept of an execution. Times are milliseconds since the epoch; input and output are JSON text. */
export const executionRecordSchema = z.object({
  executionArn: z.string(),
  name: z.string(),
  stateMachineArn: z.string(),
  stateMachineName: z.string(),
  roleArn: z.string(),
  /** The definition it runs, by its hash. */
  definition: z.string(),
  status: z.enum(executionStatuses),
  startedAt: z.number(),
  stoppedAt: z.number().optional(),
  input: z.string(),
  output: z.string().optional(),
  error: z.string().optional(),
  cause: z.string().optional(),
  /** Whether the event of this status has been put on the bus. */
  announced: z.boolean(),
});
export type ExecutionRecord = z.infer<typeof executionRecordSchema>;

/** How an execution ended. */
export interface Ending {
  status: Exclude<ExecutionStatus, 'RUNNING'>;
  output?: string;
  error?: string;
  cause?: string;
}

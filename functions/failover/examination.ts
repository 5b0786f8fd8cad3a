import * as z from 'zod';
import { lsnSchema } from './model.ts';

const reason = z.string().max(300).optional();

/** What one instance said of itself when it was examined. */
export const instanceFindingSchema = z.object({
  instance: z.string(),
  reachable: z.boolean(),
  /** Whether anything came back, and be it a refusal: then there is a way to it. */
  heard: z.boolean(),
  /** `primary`: it is out of recovery. Absent where it was not reached. */
  role: z.enum(['primary', 'standby']).optional(),
  /** Whether its sessions begin read-only, as a fenced writer's do. */
  readOnly: z.boolean().optional(),
  /** Whether its receiver streams at this moment; behind a dead writer nobody's does. */
  streaming: z.boolean().optional(),
  receivedLsn: lsnSchema.optional(),
  replayedLsn: lsnSchema.optional(),
  /** Of an engine whose instances share their storage: none has less than another. */
  sharedStorage: z.boolean().default(false),
  reason,
});
export type InstanceFinding = z.output<typeof instanceFindingSchema>;

/** What the re-check found, from inside the network and apart from the probe. */
export const examinationSchema = z.object({
  at: z.iso.datetime(),
  /** Where the shard map leads. It answers when a heartbeat was written and read back. */
  writer: z.object({
    answers: z.boolean(),
    heard: z.boolean(),
    lsn: lsnSchema.optional(),
    latencyMs: z.number().min(0).optional(),
    reason,
  }),
  instances: z.array(instanceFindingSchema).max(16),
});
export type Examination = z.output<typeof examinationSchema>;

/** Whether whoever examined heard anything at all of the shard: even a refusal comes from somewhere. */
export function heardAnything({ writer, instances }: Examination): boolean {
  return writer.heard || instances.some(({ heard }) => heard);
}

import * as z from 'zod';
import { laneCount } from './days.ts';

const instant = z.iso.datetime();
const count = z.int().min(0);

export const daySchema = z.iso.date().meta({ title: 'Day in UTC', examples: ['2026-11-21'] });
export const laneSchema = z
  .int()
  .min(0)
  .max(laneCount - 1)
  .meta({ description: 'Which of the day’s chains.' });
export const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);
export const outcomeSchema = z.enum(['succeeded', 'refused', 'failed']).meta({
  title: 'Outcome',
  description: '`refused`: answered with 4xx. `failed`: answered with 5xx.',
});

const actorSchema = z
  .strictObject({
    keyId: z.string().optional().meta({ description: 'Absent when no key was presented.' }),
    name: z.string().optional().meta({
      description:
        'Of the key, or `mainstay` where the platform acted by itself; absent when the key was not accepted.',
    }),
    tenant: z.string().optional().meta({ description: 'Absent for keys of the platform’s operators.' }),
  })
  .meta({ title: 'Who' });

/** What is hashed of an entry: all but the hash. */
export const entryContentSchema = z.strictObject({
  day: daySchema,
  lane: laneSchema,
  sequence: z.int().min(1).meta({ description: 'In its chain, without gaps.' }),
  previous: sha256Schema.meta({ description: 'Hash of the entry before, or of the chain’s label.' }),
  id: z.ulid(),
  at: instant,
  actor: actorSchema,
  action: z.string().meta({
    description: 'The route, or a name such as `credential.refused`.',
    examples: ['POST /api/disaster-recovery/backup'],
  }),
  target: z.string().meta({ description: 'A path: of what was made, or of the request.' }),
  sourceIp: z.string().meta({ description: 'Empty where nobody called.' }),
  outcome: outcomeSchema,
  status: z.int().min(100).max(599).meta({ description: 'Of the answer.' }),
  traceId: z.string(),
});
export type EntryContent = z.output<typeof entryContentSchema>;

/** An entry as it is stored, exported and listed. */
export const auditEntrySchema = entryContentSchema
  .extend({ hash: sha256Schema.meta({ description: 'SHA-256 of the rest of the entry in canonical JSON.' }) })
  .meta({ title: 'Entry of the audit trail' });
export type ChainedEntry = z.output<typeof auditEntrySchema>;

/** What a seal states about a chain that has come to its end. */
export const sealContentSchema = z.strictObject({
  day: daySchema,
  lane: laneSchema,
  entries: count.meta({ description: 'Sequence number of the last entry.' }),
  head: sha256Schema.meta({ description: 'Hash of the last entry, or of the chain’s label.' }),
  findings: count.meta({ description: 'How many were found when it was sealed.' }),
  previous: sha256Schema
    .nullable()
    .meta({ description: 'SHA-256 of the lane’s seal of the day before; null for the first.' }),
});
export type SealContent = z.output<typeof sealContentSchema>;

export const sealSchema = sealContentSchema
  .extend({
    sealedAt: instant,
    mac: z
      .base64()
      .min(4)
      .max(1_000)
      .meta({ description: 'KMS HMAC_SHA_256 over a label and the hash of the rest.' }),
  })
  .meta({ title: 'Seal of a chain' });
export type Seal = z.output<typeof sealSchema>;

export const auditProblemSchema = z.enum([
  'changed',
  'missing',
  'unlinked',
  'unreadable',
  'cut-off',
  'added-after-seal',
  'not-as-sealed',
  'seal-changed',
  'seal-missing',
]);

export const auditFindingSchema = z
  .strictObject({
    day: daySchema,
    lane: laneSchema,
    sequence: count.meta({ description: 'Of the first entry that is concerned; 0 for the seal itself.' }),
    problem: auditProblemSchema,
    known: z
      .boolean()
      .meta({ description: 'Whether the chain was sealed with it: it has been told of then.' }),
  })
  .meta({ title: 'Finding in the audit trail' });
export type AuditFinding = z.output<typeof auditFindingSchema>;

/** What one verification has done and found. */
export const auditVerificationSchema = z
  .strictObject({
    at: instant,
    from: daySchema,
    to: daySchema,
    entriesVerified: count,
    chainsVerified: count,
    chainsUnverified: count.meta({ description: 'For which there was no time.' }),
    chainsBroken: count.meta({ description: 'With a finding that is not known.' }),
    chainsSealed: count,
    findings: z.array(auditFindingSchema).meta({ description: 'At most 100 are listed.' }),
  })
  .meta({ title: 'Verification of the audit trail' });
export type AuditVerification = z.output<typeof auditVerificationSchema>;

import * as z from 'zod';

const count = z.number().int().min(0);
/** S3's bound, in bytes. */
export const longestKey = 1024;
const key = z.string().min(1).max(longestKey);

/** Which files of a backup are restored, and where to. */
export const filesSelectionSchema = z
  .strictObject({
    prefix: z.string().max(longestKey).optional().meta({ description: 'Only files whose keys begin so.' }),
    keys: z.array(key).min(1).max(1_000).optional().meta({ description: 'Only these files.' }),
    overwrite: z.boolean().default(false).meta({
      description:
        'Whether a file that is there and differs is replaced; its present version stays as a noncurrent one. Default: it is left alone, and listed as a conflict.',
    }),
    to: z
      .string()
      .max(longestKey)
      .optional()
      .meta({
        description: 'Put in front of each key. Default: files go back to where they were.',
        examples: ['restored/'],
      }),
  })
  .meta({ title: 'Which files to restore' });
export type FilesSelection = z.output<typeof filesSelectionSchema>;

export const fileConflictSchema = z
  .strictObject({ key: z.string(), problem: z.string() })
  .meta({ title: 'Conflict of a file' });
export type FileConflict = z.output<typeof fileConflictSchema>;

/** How far the restore of files is. */
export const filesRestoreSchema = z
  .strictObject({
    filesTotal: count,
    bytesTotal: count,
    filesDone: count.meta({ description: 'Restored, found equal, or in conflict.' }),
    restored: count,
    equal: count.meta({ description: 'Files that were there already with the same content.' }),
    bytesRestored: count,
    conflictsTotal: count,
    conflicts: z.array(fileConflictSchema).meta({ description: 'At most 1 000 are listed.' }),
  })
  .meta({ title: 'Restore of files' });
export type FilesRestore = z.output<typeof filesRestoreSchema>;

/** What was planned of it. */
export const filesRestorePlanSchema = z.object({ files: count, bytes: count });
export type FilesRestorePlan = z.output<typeof filesRestorePlanSchema>;

/** What became of one work item. */
export const restoredFilesSchema = z.object({
  item: count,
  restored: count,
  equal: count,
  bytes: count,
  conflictsTotal: count,
  conflicts: z.array(fileConflictSchema),
});
export type RestoredFiles = z.output<typeof restoredFilesSchema>;

/** How the configuration was compared. */
export const configurationRestoreSchema = z
  .strictObject({
    backedUpAt: z.iso.datetime(),
    changes: count.meta({ description: 'What differs between the backup and now.' }),
    redacted: count.meta({ description: 'Of these, the ones with a value that was left out of the backup.' }),
    diffKey: z.string().meta({ description: 'In the backups bucket: the differences, as JSON.' }),
    scriptKey: z.string().meta({
      description:
        'In the backups bucket: AWS CLI commands that would undo them. Nothing is applied by itself.',
    }),
  })
  .meta({ title: 'Restore of the configuration' });
export type ConfigurationRestore = z.output<typeof configurationRestoreSchema>;

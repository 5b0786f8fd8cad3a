import * as z from 'zod';

const count = z.number().int().min(0);
const MiB = 1024 * 1024;
const GiB = 1024 * MiB;

/** What S3 takes in one PUT. */
export const largestPut = 5 * GiB;
/** The largest dump: 1 024 parts of 5 GiB. */
export const largestImport = 1024 * largestPut;
/** Upload parts of a large dump, so that their URLs are one answer. */
export const maxUploadParts = 1024;

export const dumpFormatSchema = z.enum(['mongodump-archive', 'pg_dump-custom', 'tar', 'other']).meta({
  title: 'Format of a dump',
  description:
    '`mongodump-archive`: `mongodump --archive`, also with `--gzip`. `pg_dump-custom`: `pg_dump -Fc`. `other`: any bytes.',
});
export type DumpFormat = z.output<typeof dumpFormatSchema>;

export const packingSchema = z
  .enum(['none', 'gzip', 'zstd', 'bzip2', 'xz', 'lz4', 'zip', 'other'])
  .meta({ description: 'How the dump came compressed; such a dump is stored as it came.' });
export type Packing = z.output<typeof packingSchema>;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'is a SHA-256 in 64 lower-case hex digits');
/** One path segment, so that the name can be that of a file wherever it is restored to. */
export const dumpNameSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/,
    'has 1 to 128 letters, digits, dots, hyphens and underscores and begins with a letter or digit',
  )
  .meta({ title: 'Name of a dump', examples: ['shop.dump'] });

export const importRequestSchema = z
  .strictObject({
    name: dumpNameSchema.meta({ description: 'What the dump is called where it is restored.' }),
    sizeBytes: z.number().int().min(1).max(largestImport).optional().meta({
      description: `At most 5 TiB. Above 5 GiB it has to be given: such a dump is uploaded in parts. Given, an upload of another size is refused.`,
    }),
    format: z
      .enum(['auto', ...dumpFormatSchema.options])
      .default('auto')
      .meta({
        description:
          '`auto`: recognised by its first bytes. Named, a dump that is evidently another is refused.',
      }),
    sha256: sha256.optional().meta({ description: 'Of the dump, in hex; given, another dump is refused.' }),
    keepDays: z.number().int().min(1).max(36_500).nullable().optional().meta({
      description:
        'For how long it is kept, in days from now; `null`, the default: until it is deleted. No automation has it expire: nothing that is backed up later holds what it does.',
    }),
    lockDays: z.number().int().min(1).max(36_500).optional().meta({
      description:
        'For how long Object Lock keeps it from being deleted, in days from its end. Default: as the automation says.',
    }),
    urlSeconds: z.number().int().min(60).max(43_200).default(3_600).meta({
      description:
        'How long the URLs of the upload are good for. They end earlier when the credentials that signed them do; `POST …/import/{backupId}/uploads` gives new ones.',
    }),
  })
  .meta({ title: 'What to import' });
export type ImportRequest = z.output<typeof importRequestSchema>;

export const uploadsSchema = z
  .strictObject({
    method: z.literal('PUT'),
    expiresAt: z.iso.datetime().meta({ description: 'When the URLs are good no longer.' }),
    url: z.string().nullable().meta({ description: 'Up to 5 GiB: where the dump is put.' }),
    partBytes: count
      .nullable()
      .meta({ description: 'Above 5 GiB: size of each part but the last, which has the rest.' }),
    parts: z
      .array(z.strictObject({ partNumber: z.number().int().min(1).max(10_000), url: z.string() }))
      .nullable()
      .meta({
        description:
          'Above 5 GiB: where each part is put, in any order. The ETag that S3 answers goes to `POST …/import/{backupId}/complete`.',
      }),
  })
  .meta({
    title: 'Where to upload',
    description:
      'Whoever has a URL can write this one object with it, and read nothing. Repeated requests are answered `null` here.',
  });
export type Uploads = z.output<typeof uploadsSchema>;

export const completeBodySchema = z
  .strictObject({
    parts: z
      .array(
        z.strictObject({
          partNumber: z.number().int().min(1).max(10_000),
          etag: z.string().regex(/^"?[0-9a-f]{32}"?$/, 'is the ETag that S3 answered to the part'),
        }),
      )
      .min(1)
      .max(maxUploadParts)
      .refine((parts) => new Set(parts.map(({ partNumber }) => partNumber)).size === parts.length, {
        message: 'names a part twice',
      }),
  })
  .meta({ title: 'The parts of an upload' });

const imported = {
  name: dumpNameSchema,
  format: dumpFormatSchema.nullable().meta({ description: 'Known when the upload has been looked at.' }),
  packing: packingSchema.nullable(),
  sizeBytes: count.nullable().meta({ description: 'Of the dump; known when it is uploaded.' }),
  sha256: sha256.nullable().meta({ description: 'Of the dump; known when it has been read.' }),
  segments: count.nullable().meta({ description: 'In how many parts it is stored.' }),
};
export const importSchema = z.strictObject(imported).meta({ title: 'Imported dump' });
export type Import = z.output<typeof importSchema>;

/** What the catalogue keeps of an import in its backup's record. */
export const importRecordSchema = z.object({
  name: dumpNameSchema,
  /** What was announced, where it was. */
  announced: z.object({
    format: dumpFormatSchema.optional(),
    sizeBytes: count.optional(),
    sha256: sha256.optional(),
  }),
  /** Until then an upload may begin to be imported. */
  uploadUntil: z.string(),
  /** Of a multipart upload, with the size of its parts. */
  multipart: z.object({ uploadId: z.string(), partBytes: count }).optional(),
  format: dumpFormatSchema.optional(),
  packing: packingSchema.optional(),
  sizeBytes: count.optional(),
  sha256: sha256.optional(),
  segments: count.optional(),
});
export type ImportRecord = z.output<typeof importRecordSchema>;

/** How an import is shown. */
export function toImport(record: ImportRecord): Import {
  return {
    name: record.name,
    format: record.format ?? record.announced.format ?? null,
    packing: record.packing ?? null,
    sizeBytes: record.sizeBytes ?? record.announced.sizeBytes ?? null,
    sha256: record.sha256 ?? record.announced.sha256 ?? null,
    segments: record.segments ?? null,
  };
}

/** Size of a segment of a dump: 256 MiB, or what makes 9 000 segments of it. S3 puts 10 000 parts together at most. */
export const segmentBytesOf = (sizeBytes: number): number =>
  Math.max(256 * MiB, Math.ceil(sizeBytes / 9_000 / MiB) * MiB);

/** Size of the parts of an upload: at least 128 MiB, and as many as have room in one answer. */
export const uploadPartBytesOf = (sizeBytes: number): number =>
  Math.max(128 * MiB, Math.ceil(sizeBytes / maxUploadParts / MiB) * MiB);

import * as z from 'zod';

const count = z.number().int().min(0);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** The current version of an object, as the listing of its bucket tells it. */
export const listedFileSchema = z.strictObject({
  key: z.string(),
  /** `null` for an object from before the bucket kept versions. */
  versionId: z.string(),
  size: count,
  lastModified: z.iso.datetime(),
});
export type ListedFile = z.output<typeof listedFileSchema>;

/** Part of a file: bytes `from` to `from + bytes`. */
export const segmentSchema = z.strictObject({ number: count, of: count, from: count, bytes: count });
export type Segment = z.output<typeof segmentSchema>;

/** What one invocation copies: files in the order of their keys, or one segment of a very large one. */
export const filesItemSchema = z.array(
  z.strictObject({ ...listedFileSchema.shape, segment: segmentSchema.optional() }),
);
export type FilesItem = z.output<typeof filesItemSchema>;

/** What S3 keeps with an object and gives back with it. Absent: it has none. */
export const fileHeadersSchema = z.strictObject({
  contentType: z.string().optional(),
  cacheControl: z.string().optional(),
  contentDisposition: z.string().optional(),
  contentEncoding: z.string().optional(),
  contentLanguage: z.string().optional(),
  redirect: z.string().optional(),
});

/** Where bytes of a file are. */
export const filePartSchema = z.strictObject({
  /** Position of the stored object in the manifest's list. */
  object: count,
  /** Name of the entry in the object, which is a tar archive; absent: the object holds nothing else. */
  name: z.string().optional(),
  bytes: count,
  sha256,
});
export type FilePart = z.output<typeof filePartSchema>;

/** One line of the index: a file, all that S3 keeps with it, and where its bytes are. */
export const fileEntrySchema = z.strictObject({
  ...listedFileSchema.shape,
  headers: fileHeadersSchema,
  /** User metadata, without `x-amz-meta-`. */
  metadata: z.record(z.string(), z.string()),
  tags: z.record(z.string(), z.string()),
  /** Of the whole content; `null` where it was stored in several segments, each of which has its own. */
  sha256: sha256.nullable(),
  /** In the order of the content. */
  parts: z.array(filePartSchema).min(1),
});
export type FileEntry = z.output<typeof fileEntrySchema>;

/** Files below this size are packed together. */
export const smallBytes = 1024 * 1024;
/** A larger file is stored in several segments, so that one invocation can copy each. */
export const segmentBytes = 8 * 1024 * 1024 * 1024;
/** Bounds of a pack. */
export const packBounds = { files: 1_000, bytes: 64 * 1024 * 1024 };
/** Bounds of what one invocation copies beside its pack. */
export const itemBounds = { objects: 50, bytes: segmentBytes };
/** Stored objects that a backup of files may have: its manifest lists them all, at about 600 bytes each. */
export const maximumObjects = 100_000;

/** Orders keys as S3 does: by the bytes of their UTF-8 form. */
export const compareKeys = (one: string, other: string): number =>
  Buffer.compare(Buffer.from(one, 'utf8'), Buffer.from(other, 'utf8'));

/** Whether a file is the one that an earlier backup has: S3 never changes the content of a version. */
export const isSameFile = (one: ListedFile, other: ListedFile): boolean =>
  one.key === other.key &&
  one.size === other.size &&
  one.versionId === other.versionId &&
  // Writing again replaces the version `null`; only this tells.
  (one.versionId !== 'null' || one.lastModified === other.lastModified);

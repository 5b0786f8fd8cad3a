import { NamedError } from '../shared/named-error.ts';

/** Something other than AWS is not ready yet. Worth another try later. */
export class NotReadyError extends NamedError {}

/** What the database holds cannot be backed up completely. Trying again changes nothing. */
export class PreflightError extends NamedError {}

/** The exported snapshot is gone before its time; no more of this backup can be read. */
export class SnapshotLostError extends NamedError {}

/** The backup has ended or was canceled; nothing more is done for it. */
export class BackupNotRunningError extends NamedError {}

/** Another backup of one of the shards is running. */
export class BackupConflictError extends NamedError {
  readonly runningBackupId: string;

  constructor(shard: string, runningBackupId: string) {
    super(`Backup ${runningBackupId} of ${shard} is running; one backup of a shard runs at a time.`);
    this.runningBackupId = runningBackupId;
  }
}

/** Another operation re-encrypts the backup, or what it has left is not settled yet. */
export class ReencryptionConflictError extends NamedError {
  readonly operationId: string;

  constructor(operationId: string) {
    super(
      `Operation ${operationId} re-encrypts the backup. One that was cut short holds it until the hourly sweep has settled what it left.`,
    );
    this.operationId = operationId;
  }
}

/** A shard of that name does not exist. */
export class UnknownShardError extends NamedError {}

/** What was stored is not all of what was planned, or not proved. */
export class IncompleteBackupError extends NamedError {}

/** No database that was looked at holds anything of the tenant. */
export class UnknownTenantError extends NamedError {}

/** The database did not give the rows of a table. Worth another try. */
export class CopyError extends NamedError {}

/** pg_dump failed; the message holds what it said. */
export class PgDumpError extends NamedError {}

/** The restore has ended or was canceled; nothing more is done for it. */
export class RestoreNotRunningError extends NamedError {}

/** The drill has ended or was canceled; nothing more is done for it. */
export class DrillNotRunningError extends NamedError {}

/** Another drill is at work; one runs at a time. */
export class DrillConflictError extends NamedError {
  readonly runningDrillId: string;

  constructor(runningDrillId: string) {
    super(`Drill ${runningDrillId} is at work; one drill runs at a time.`);
    this.runningDrillId = runningDrillId;
  }
}

/** A schedule has started a drill while another one is at work: it is left out. */
export class DrillSkippedError extends NamedError {}

/** A drill came to its end, and something of what it has looked at is not as it should be. */
export class DrillFindingsError extends NamedError {}

/** A shard of the platform has no complete backup. */
export class UnprotectedShardError extends NamedError {}

/** The target of a restore is not what it has to be: something is there already, or is missing. Nothing was changed. */
export class RestoreConflictError extends NamedError {}

/** What was restored is not what the manifest says. */
export class RestoredDiffersError extends NamedError {}

/** A statement of the stored DDL failed. Trying again changes nothing. */
export class RestoreDdlError extends NamedError {}

/** What was uploaded is not what was announced. Uploading it again takes a new import. */
export class UploadMismatchError extends NamedError {}

/** An object is larger than one function can work on in its time. */
export class ObjectTooLargeError extends NamedError {}

/** There is no complete backup of that id. */
export class UnknownBackupError extends NamedError {}

/** A table of that name is not in the backup. */
export class UnknownTableError extends NamedError {}

/** A file of that key is not in the backup. */
export class UnknownFileError extends NamedError {}

/** A stored object's bytes have changed. Trying again changes nothing. */
export class DamagedObjectError extends NamedError {}

/** The manifest is not as it was written. */
export class ManifestError extends NamedError {}

/** A wrapping key of the escrow cannot be had: no passphrase, another one, or a record that is not as it was written. */
export class EscrowError extends NamedError {}

/** The deployment does not have the keys that a backup was to be opened with. */
export class UnavailableKeysError extends NamedError {}

/** Whether an error is the SDK's, about bytes that have not the checksum that S3 keeps with them. */
export const isChecksumMismatch = (error: unknown): boolean =>
  error instanceof Error && /^checksum mismatch/i.test(error.message);

/** The error that a record tells of, under its own name: what failed elsewhere fails here for the same reason. */
export function failureFrom({ code, message }: { code: string; message: string }): Error {
  const error = new Error(message);
  error.name = code;
  return error;
}

/** How an error is recorded. */
export function failureOf(error: unknown): { code: string; message: string } {
  return error instanceof Error
    ? { code: error.name, message: error.message }
    : { code: 'Error', message: String(error) };
}

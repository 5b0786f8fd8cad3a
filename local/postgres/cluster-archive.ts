import { join } from 'node:path';
import { Archive, type RestorableWindow } from './archive.ts';
import type { ClusterState } from './cluster-state.ts';
import type { PostgresHome } from './home.ts';
import type { Instance } from './instance.ts';
import { flushLog, type VolumeSource } from './volume.ts';
import type { WorkQueue } from './work-queue.ts';

interface Parts {
  state: ClusterState;
  home: PostgresHome;
  work: WorkQueue;
  /** The instance that takes writes; undefined: there is none, or it is in another cluster. */
  writer(): Instance | undefined;
  /** Where the data are. */
  data(): Instance;
  report(message: string): void;
}

/** What a cluster can be restored from: the log of whoever writes, and base backups of it. */
export class ClusterArchive {
  readonly #parts: Parts;
  readonly #archive: Archive;
  #maintenance: Promise<void> = Promise.resolve();
  /** When the writer was last known to run, in milliseconds since the epoch. */
  #writerSeenAt = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#archive = new Archive(parts.home, parts.state.resourceId);
  }

  /** Where a writer archives its log. */
  get log(): string {
    return this.#archive.log;
  }

  prepare(): Promise<void> {
    return this.#archive.prepare();
  }

  /** Another instance writes from now on: what was archived before is followed by what it archives. */
  beginAnew(): Promise<void> {
    return this.#archive.beginAnew();
  }

  /** All that a restore needs, up to now. */
  async source(): Promise<VolumeSource> {
    const writer = this.#parts.writer();
    if (writer?.running === true) {
      await flushLog(writer, this.#archive);
      return { archive: this.#archive, unarchived: undefined };
    }
    return { archive: this.#archive, unarchived: join(this.#parts.data().dataDirectory, 'pg_wal') };
  }

  /** The times that the cluster can be restored to; undefined before its first base backup. */
  window(): RestorableWindow | undefined {
    if (this.#parts.writer()?.running === true) this.#writerSeenAt = Date.now();
    return this.#archive.window(this.#writerSeenAt);
  }

  /** Takes a base backup if one is due; `now`: in any case. A failure is reported: the next time is soon. */
  maintain(now: boolean): Promise<void> {
    this.#maintenance = this.#maintenance.then(async () => {
      const { state, work, report } = this.#parts;
      const writer = this.#parts.writer();
      if (state.conduct?.selfManaged === true || work.closed || writer?.running !== true) return;
      this.#writerSeenAt = Date.now();
      try {
        if (now) await this.#archive.takeBase(writer, work.signal);
        else await this.#archive.maintain(writer, work.signal);
      } catch (error) {
        if (work.closed || !writer.running || writer.identifier !== state.writer) return;
        const reason = error instanceof Error ? error.message : String(error);
        report(`No base backup of ${state.identifier} was taken: ${reason}`);
      }
    });
    return this.#maintenance;
  }

  /** Resolves when no base backup is being taken any more. */
  settled(): Promise<void> {
    return this.#maintenance;
  }

  remove(): Promise<void> {
    return this.#archive.remove();
  }
}

import { chown, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { StateFile } from '../aws/state-file.ts';
import type { PostgresHome } from './home.ts';
import type { Instance } from './instance.ts';
import { copyTree } from './standby.ts';

/** Base backups that are kept: the window of times that can be restored reaches back at least to the older one. */
const keptBases = 2;
/** Archived log after which a new base backup is taken, in bytes; also what bounds the archive. */
const logBetweenBases = 256 * 1024 * 1024;

const baseSchema = z.object({
  /** Name of its directory. */
  name: z.string(),
  /** The first segment of the log that it needs. */
  segment: z.string(),
  /** When it was complete, RFC 3339: the earliest time that it can be brought to. */
  completedAt: z.iso.datetime(),
});
const archiveSchema = z.object({ version: z.literal(1), bases: z.array(baseSchema) });
export type BaseBackup = z.output<typeof baseSchema>;

/** Times that a cluster can be restored to, in milliseconds since the epoch, both in whole seconds. */
export interface RestorableWindow {
  earliest: number;
  latest: number;
}

/**
 * What a cluster is restored to a point in time from: base backups, and the write-ahead log since the oldest of
 * them, which the server's own archiver copies here. It begins anew when another instance is promoted: of a server
 * that was killed, the archiver may not have copied all.
 */
export class Archive {
  readonly directory: string;
  /** Takes the segments of the log. */
  readonly log: string;
  readonly #home: PostgresHome;
  readonly #state: StateFile<z.output<typeof archiveSchema>>;
  #restores = 0;
  #generation = 0;
  #lastCount = -1;

  constructor(home: PostgresHome, clusterResourceId: string) {
    this.#home = home;
    this.directory = join(home.dataDirectory, 'archives', clusterResourceId);
    this.log = join(this.directory, 'wal');
    this.#state = new StateFile(join(this.directory, 'archive.json'), archiveSchema, {
      version: 1,
      bases: [],
    });
  }

  /** Makes the directory that the archiver copies to. */
  async prepare(): Promise<void> {
    await mkdir(join(this.#home.dataDirectory, 'archives'), { recursive: true, mode: 0o711 });
    await mkdir(this.directory, { recursive: true, mode: 0o711 });
    await mkdir(this.log, { recursive: true, mode: 0o700 });
    const { user } = this.#home;
    if (user !== undefined) await chown(this.log, user.uid, user.gid);
  }

  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }

  /** The oldest first. */
  get bases(): readonly BaseBackup[] {
    return this.#state.state.bases;
  }

  /** What is there holds no longer: the next base backup begins a new window. */
  async beginAnew(): Promise<void> {
    this.#generation += 1;
    this.#state.state.bases = [];
    await this.#state.save();
  }

  /** @param latest until when all of the log is there, in milliseconds since the epoch. */
  window(latest: number): RestorableWindow | undefined {
    const [oldest] = this.bases;
    if (oldest === undefined) return undefined;
    const earliest = Math.ceil(Date.parse(oldest.completedAt) / 1000) * 1000;
    return { earliest, latest: Math.max(earliest, Math.floor(latest / 1000) * 1000) };
  }

  /** The newest base backup that can be brought to a time (undefined: as far as possible). */
  baseFor(time: number | undefined): BaseBackup | undefined {
    return this.bases.findLast(
      ({ completedAt }) => time === undefined || Math.ceil(Date.parse(completedAt) / 1000) * 1000 <= time,
    );
  }

  dataOf({ name }: BaseBackup): { data: string; label: string } {
    return { data: join(this.directory, name, 'data'), label: join(this.directory, name, 'backup_label') };
  }

  /** Keeps everything as it is while `work` restores from it. */
  async holdFor<T>(work: () => Promise<T>): Promise<T> {
    this.#restores += 1;
    try {
      return await work();
    } finally {
      this.#restores -= 1;
    }
  }

  /**
   * Takes a base backup of the writer where one is due, and removes what no base backup needs: asked from time to
   * time. It waits for a quiet moment, unless the archive has grown to twice what it should.
   */
  async maintain(writer: Instance, signal: AbortSignal): Promise<void> {
    const segments = await this.#segments();
    const quiet = segments.length === this.#lastCount || segments.length === 0;
    this.#lastCount = segments.length;
    const newest = this.bases.at(-1);
    if (newest === undefined) return this.takeBase(writer, signal);
    const since = segments.filter((name) => name.slice(8) >= newest.segment.slice(8));
    const bytes = since.length * (await this.#segmentSize(since[0]));
    if (bytes >= 2 * logBetweenBases || (quiet && bytes >= logBetweenBases))
      await this.takeBase(writer, signal);
  }

  /** Takes a base backup now: an online copy of the writer's data. */
  async takeBase(writer: Instance, signal: AbortSignal): Promise<void> {
    const generation = this.#generation;
    const name = `base-${Date.now()}`;
    const directory = join(this.directory, name);
    try {
      const base = await writer.admin.withDatabase('postgres', async (session) => {
        const { rows: started } = await session.query<{ segment: string }>(
          'SELECT pg_walfile_name(pg_backup_start($1, fast => true)) AS segment',
          [name],
        );
        await mkdir(join(directory, 'data'), { recursive: true, mode: 0o700 });
        await copyTree(writer.dataDirectory, join(directory, 'data'), undefined, signal);
        const { rows: stopped } = await session.query<{ labelfile: string }>(
          'SELECT labelfile FROM pg_backup_stop(wait_for_archive => false)',
        );
        await writeFile(join(directory, 'backup_label.new'), stopped[0]?.labelfile ?? '', { mode: 0o600 });
        await rename(join(directory, 'backup_label.new'), join(directory, 'backup_label'));
        return { name, segment: started[0]?.segment ?? '', completedAt: new Date().toISOString() };
      });
      if (generation !== this.#generation) throw new Error('Another instance has been promoted meanwhile.');
      this.#state.state.bases = [...this.bases, base].slice(-keptBases);
      await this.#state.save();
    } catch (error) {
      await rm(directory, { recursive: true, force: true });
      throw error;
    }
    await this.#prune();
  }

  async #prune(): Promise<void> {
    if (this.#restores > 0) return;
    const kept = new Set(this.bases.map(({ name }) => name));
    for (const entry of await readdir(this.directory)) {
      if (entry.startsWith('base-') && !kept.has(entry)) {
        await rm(join(this.directory, entry), { recursive: true, force: true });
      }
    }
    const oldest = this.bases[0]?.segment.slice(8) ?? '';
    for (const segment of await this.#segments()) {
      if (segment.slice(8, 24) < oldest) await rm(join(this.log, segment), { force: true });
    }
  }

  /** Names of segments begin with the timeline; what follows orders them, also across timelines. */
  async #segments(): Promise<string[]> {
    const names = await readdir(this.log).catch(() => []);
    return names.filter((name) => /^[0-9A-F]{24}/.test(name));
  }

  async #segmentSize(name: string | undefined): Promise<number> {
    if (name === undefined) return 0;
    return stat(join(this.log, name)).then(
      ({ size }) => size,
      () => 0,
    );
  }
}

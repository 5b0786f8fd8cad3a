import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Measurement } from '../backup/candidate.ts';
import { sizeOf } from '../backup/peers/place.ts';
import { runShells } from '../measure/shell.ts';

/** restic, reading all rows from psql into a repository that has those of the earlier backup. */
export class ResticPeer {
  readonly #options: { environment: Record<string, string>; directory: string; statement: string };

  /** @param options `statement`: the COPY of the whole table. */
  constructor(options: { environment: Record<string, string>; directory: string; statement: string }) {
    this.#options = options;
  }

  /** Begins a repository with the rows as they are now; each run goes on from there. */
  async begin(): Promise<void> {
    await rm(this.#repository('parent'), { recursive: true, force: true });
    await this.#run('parent', 'init');
    await this.#back('parent');
  }

  /** Takes another backup into a copy of that repository. */
  async run(): Promise<Measurement> {
    const repository = this.#repository('run');
    await rm(repository, { recursive: true, force: true });
    await cp(this.#repository('parent'), repository, { recursive: true });
    const before = await sizeOf(repository);
    const result = await this.#back('run');
    return { ...result, storedBytes: (await sizeOf(repository)) - before };
  }

  #back(name: 'parent' | 'run') {
    const { statement } = this.#options;
    return this.#run(name, 'backup --stdin', `psql -X -q -v ON_ERROR_STOP=1 -c '${statement}' | `);
  }

  #run(name: 'parent' | 'run', command: string, source = '') {
    const env = { ...this.#options.environment, RESTIC_PASSWORD: 'only for this run' };
    return runShells([`${source}restic -r '${this.#repository(name)}' --no-cache -q ${command}`], { env });
  }

  #repository(name: 'parent' | 'run'): string {
    return join(this.#options.directory, `restic-${name}`);
  }
}

import type { Client } from 'pg';
import type { Clock } from '../../clock.ts';
import { NotReadyError, RestoreDdlError } from '../../errors.ts';
import { quoteIdentifier, quoteLiteral, sqlState } from '../../snapshot/sql.ts';
import { describeEntry, leftOutOf, mayLeaveOut } from './leave-out.ts';
import { findMaster, inPlaceOfMaster, isDelegable, newOwner } from './master.ts';
import type { DumpEntry } from './statements.ts';
import { finishedSteps, runStep, workSchema } from './steps.ts';

export interface ApplyOptions {
  readonly clock: Clock;
  /** Milliseconds since the epoch; nothing is begun after it, and what still runs then is left to the server. */
  readonly deadline: number;
  /** Whether rows of some tables only are restored. */
  readonly partial: boolean;
  /** Whether the DDL is of one schema only, and may refer to others. Default false. */
  readonly oneSchema?: boolean | undefined;
}

/** States of a server that a later attempt may find better: lost, shutting down, out of resources, deadlocks. */
const passing = /^(08|40|53|57P|58|55P03)/;

/** Applies DDL to one database, in as many invocations as it takes. */
export class DdlSession {
  readonly #client: Client;
  readonly #options: ApplyOptions;
  readonly #done: Set<string>;
  readonly #names: { readonly role: string; readonly database: string; readonly master: string | undefined };
  #leftOut: boolean;

  private constructor(
    client: Client,
    options: ApplyOptions,
    done: Set<string>,
    names: { role: string; database: string; master: string | undefined; leftOut: boolean },
  ) {
    this.#client = client;
    this.#options = options;
    this.#done = done;
    this.#names = names;
    this.#leftOut = names.leftOut;
  }

  /** @param client prepared by `openTarget`, alone by `holdTarget`, in a database that has steps. */
  static async begin(client: Client, options: ApplyOptions): Promise<DdlSession> {
    const { rows } = await client.query<{ role: string; database: string; leftOut: boolean }>(
      `SELECT current_user AS role, current_database() AS database,
              EXISTS (SELECT FROM ${workSchema}.steps WHERE left_out IS NOT NULL) AS "leftOut"`,
    );
    const { role = '', database = '', leftOut = false } = rows[0] ?? {};
    const master = await findMaster(client);
    return new DdlSession(client, options, await finishedSteps(client), { role, database, master, leftOut });
  }

  /**
   * Applies the objects of one section that `chosen` picks, in their order, each with a mark of its own in the same
   * transaction; what is marked already is passed over. Settings between objects are made in any case.
   *
   * Statements that this cluster does not take (see `mayLeaveOut`) are noted and passed over. An owner that may not
   * create where its object is gets that right for the one statement, as pg_restore's superuser would not have to ask.
   * What belongs to the master user stays the role's own until `handOver`.
   *
   * @returns `again` when time ran out: what is left to do is done by the next call, on a new connection, which waits
   *   (`holdTarget`) for a statement that still runs.
   * @throws RestoreDdlError naming the object; NotReadyError.
   */
  async apply(
    section: string,
    entries: readonly DumpEntry[],
    chosen: (entry: DumpEntry) => boolean,
  ): Promise<'done' | 'again'> {
    for (const entry of entries) {
      const own = entry.statements.filter((statement) => !isSetting(statement));
      if (own.length > 0 && chosen(entry)) {
        const step = `${section}/${entry.index}`;
        const outcome = await this.#applyEntry(step, entry, this.#prepare(entry, own));
        if (outcome === 'again') return 'again';
      }
      for (const setting of entry.statements.filter(isSetting)) await this.#set(setting);
    }
    return 'done';
  }

  #prepare(entry: DumpEntry, statements: readonly string[]): string[] {
    const { master, role } = this.#names;
    if (master === undefined) return joinGrantors(statements);
    const kept = statements.filter((statement) => newOwner(statement) !== master);
    if (entry.type !== 'ACL' || entry.owner !== master) return joinGrantors(kept);
    return joinGrantors(kept.map((statement) => inPlaceOfMaster(statement, master, role)));
  }

  async #applyEntry(
    step: string,
    entry: DumpEntry,
    statements: readonly string[],
  ): Promise<'done' | 'again'> {
    if (this.#done.has(step)) return 'done';
    const begun = statements.some((_, index) => this.#done.has(`${step}.${index}`));
    if (!begun) {
      try {
        return await this.#run(step, statements.join('\n'));
      } catch (error) {
        if (sqlState(error) === undefined) throw notReady(entry, error);
      }
    }
    for (const [index, statement] of statements.entries()) {
      const outcome = await this.#applyStatement(`${step}.${index}`, entry, statement);
      if (outcome === 'again') return 'again';
    }
    return this.#run(step, '');
  }

  /** One statement by itself, in every way that there is. */
  async #applyStatement(step: string, entry: DumpEntry, statement: string): Promise<'done' | 'again'> {
    if (this.#done.has(step)) return 'done';
    let failure: unknown;
    for (const sql of [statement, ...this.#otherWays(entry, statement)]) {
      try {
        return await this.#run(step, sql);
      } catch (error) {
        failure ??= error;
        if (sqlState(error) === undefined || passing.test(sqlState(error) ?? ''))
          throw notReady(entry, error);
        if (sqlState(error) !== insufficientPrivilege) break;
      }
    }
    const { partial, oneSchema = false } = this.#options;
    const context = { partial, oneSchema, leftOutBefore: this.#leftOut };
    if (!mayLeaveOut(failure, entry, statement, context)) throw ddlError(entry, statement, failure);
    this.#leftOut = true;
    return runStep(
      this.#client,
      { step, sql: '', leftOut: leftOutOf(entry, statement, failure) },
      this.#options,
    );
  }

  /** What to try when the role may not run a statement as it is. */
  #otherWays({ schema }: DumpEntry, statement: string): string[] {
    const ways: string[] = [];
    const owner = newOwner(statement);
    if (owner !== undefined) {
      const { database } = this.#names;
      const where =
        schema === '-' ? `DATABASE ${quoteIdentifier(database)}` : `SCHEMA ${quoteIdentifier(schema)}`;
      const name = quoteIdentifier(owner);
      ways.push(
        `GRANT CREATE ON ${where} TO ${name};\n${statement}\nREVOKE CREATE ON ${where} FROM ${name};`,
      );
    }
    if (this.#names.master !== undefined && isDelegable(statement)) {
      ways.push(`SELECT ${workSchema}.as_master(${quoteLiteral(statement)});`);
    }
    return ways;
  }

  async #run(step: string, sql: string): Promise<'done' | 'again'> {
    if (this.#options.clock.now() >= this.#options.deadline) return 'again';
    const outcome = await runStep(this.#client, { step, sql }, this.#options);
    if (outcome === 'done') this.#done.add(step);
    return outcome;
  }

  /** A setting that this server does not know is one of a newer pg_dump; the server's default is as good. */
  async #set(setting: string): Promise<void> {
    try {
      await this.#client.query(setting);
    } catch (error) {
      if (sqlState(error) !== undefinedObject) throw error;
    }
  }
}

const insufficientPrivilege = '42501';
const undefinedObject = '42704';

const isSetting = (statement: string): boolean =>
  /^(SET (?!SESSION AUTHORIZATION)|SELECT pg_catalog\.set_config\()/.test(statement);

/**
 * Privileges that another than the owner has granted come as `SET SESSION AUTHORIZATION …; GRANT …; RESET SESSION
 * AUTHORIZATION;`, which only a superuser may say. The same is said by SET ROLE, all of it as one statement.
 */
function joinGrantors(statements: readonly string[]): string[] {
  const joined: string[] = [];
  let open = false;
  for (const statement of statements) {
    const said = statement.replace(/^(RE)?SET SESSION AUTHORIZATION/, '$1SET ROLE');
    if (open) joined.push(`${joined.pop() ?? ''}\n${said}`);
    else joined.push(said);
    if (said !== statement) open = !said.startsWith('RESET');
  }
  return joined;
}

function ddlError(entry: DumpEntry, statement: string, error: unknown): RestoreDdlError {
  const said = error instanceof Error ? error.message : String(error);
  const beginning = statement.replace(/\s+/g, ' ').slice(0, 200);
  return new RestoreDdlError(`${describeEntry(entry)} cannot be restored: ${said} (${beginning})`, {
    cause: error,
  });
}

function notReady(entry: DumpEntry, error: unknown): NotReadyError {
  const said = error instanceof Error ? error.message : String(error);
  return new NotReadyError(`${describeEntry(entry)} could not be restored yet: ${said}`, { cause: error });
}

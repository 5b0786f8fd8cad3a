import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonApi } from '../aws/api.ts';
import { AwsError } from '../aws/operation.ts';
import { RotatingFile } from '../lambda/rotating-file.ts';
import type { Service } from '../service.ts';
import { type LogEvent, readPlain, readStored, storedLine } from './log-events.ts';
import { logsApi } from './logs-api.ts';

export interface LogsOptions {
  /** Where groups that are not a function's keep their events. */
  directory: string;
  region: string;
  accountId: string;
}

export interface LogGroup {
  name: string;
  /** The log file of a function, which its host writes. */
  functionFile?: string;
  retentionInDays?: number;
}

/** CloudWatch Logs: groups over the files of functions, and groups that others put lines into. */
export class Logs implements Service {
  readonly name = 'logs';
  readonly api: JsonApi;
  readonly #options: LogsOptions;
  readonly #groups = new Map<string, LogGroup>();
  readonly #byFile = new Map<string, string>();
  readonly #files = new Map<string, RotatingFile>();

  constructor(options: LogsOptions) {
    this.#options = options;
    mkdirSync(options.directory, { recursive: true, mode: 0o700 });
    this.api = logsApi(this);
  }

  /** Creates or updates a group. `functionFile` is the file whose lines it shows. */
  ensureGroup(group: LogGroup): { arn: string } {
    this.#groups.set(group.name, group);
    if (group.functionFile !== undefined) this.#byFile.set(group.functionFile, group.name);
    return { arn: `${this.arnOf(group.name)}:*` };
  }

  /** Without the `:*` that policies and templates have at its end. */
  arnOf(name: string): string {
    return `arn:aws:logs:${this.#options.region}:${this.#options.accountId}:log-group:${name}`;
  }

  groups(): LogGroup[] {
    return [...this.#groups.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Adds an event to a group that is not a function's. @param time in ms since the epoch */
  put(groupName: string, streamName: string, message: string, time: number): void {
    const group = this.group(groupName);
    if (group.functionFile !== undefined) throw new Error(`${groupName} belongs to a function.`);
    const file = this.#files.get(groupName) ?? new RotatingFile(this.#path(groupName));
    this.#files.set(groupName, file);
    file.append(storedLine(time, streamName, message));
  }

  /** @throws AwsError ResourceNotFoundException */
  group(name: string): LogGroup {
    const group = this.#groups.get(name);
    if (group !== undefined) return group;
    throw new AwsError('ResourceNotFoundException', 'The specified log group does not exist.');
  }

  /** The group that shows a function's file. */
  groupOf(functionFile: string): string | undefined {
    return this.#byFile.get(functionFile);
  }

  /** All events of a group, oldest first. */
  async events(groupName: string): Promise<LogEvent[]> {
    const { functionFile } = this.group(groupName);
    const events = functionFile === undefined ? readStored(this.#path(groupName)) : readPlain(functionFile);
    return (await events).sort((a, b) => a.timestamp - b.timestamp);
  }

  async start(): Promise<void> {}

  /** Closes files; a later event opens them again. */
  async stop(): Promise<void> {
    for (const file of this.#files.values()) file.close();
  }

  #path(groupName: string): string {
    return join(this.#options.directory, `${encodeURIComponent(groupName)}.log`);
  }
}

import { ApiClient } from './api-client.ts';
import type { CliIo } from './cli-io.ts';
import { connectionFor, type Wish } from './connect/connection.ts';
import { RecoveryApi } from './recovery-api.ts';
import { styleFor, type TextOutput } from './terminal.ts';

/** The options that every command has which calls the API. */
export interface SessionOptions extends Wish {
  json?: boolean | undefined;
}

/** One command's conversation with one platform and one operator. */
export class Session {
  readonly baseUrl: string;
  readonly client: ApiClient;
  readonly api: RecoveryApi;
  readonly io: CliIo;
  readonly #options: SessionOptions;

  private constructor(
    io: CliIo,
    options: SessionOptions,
    { baseUrl, apiKey }: { baseUrl: string; apiKey: string },
  ) {
    this.io = io;
    this.#options = options;
    this.baseUrl = baseUrl;
    this.client = new ApiClient({ baseUrl, apiKey, signal: io.interruption.signal });
    this.api = new RecoveryApi(this.client);
  }

  /** Finds the platform, and says to people which one it is. */
  static async open(io: CliIo, options: SessionOptions): Promise<Session> {
    const session = new Session(io, options, await connectionFor(io.env, options));
    session.note(styleFor(io.stderr)('dim', `Mainstay at ${session.baseUrl}`));
    return session;
  }

  /** Where progress is drawn: nowhere for a program. */
  get progress(): TextOutput | undefined {
    return this.#options.json === true ? undefined : this.io.stderr;
  }

  /** The result: the value for a program, its text for people. */
  result(value: unknown, text: () => string): void {
    this.io.stdout.write(`${this.#options.json === true ? JSON.stringify(value, null, 2) : text()}\n`);
  }

  /** Something beside the result, for people only. */
  note(text: string): void {
    this.progress?.write(`${text}\n`);
  }

  /** What went wrong, for people and in the logs of programs. */
  complain(text: string): void {
    this.io.stderr.write(`${text}\n`);
  }

  /** A command to paste that speaks with the same platform. */
  command(rest: string): string {
    const { url, profile } = this.#options;
    const where = url !== undefined ? ` --url ${url}` : profile !== undefined ? ` --profile ${profile}` : '';
    return `npx mainstay ${rest}${where}`;
  }
}

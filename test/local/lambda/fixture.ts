import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { jest } from '@jest/globals';
import type { LambdaDefinition } from '../../../local/lambda/definition.ts';
import { LambdaHost } from '../../../local/lambda/host.ts';
import type { InvocationReport, LambdaHostOptions } from '../../../local/lambda/host-options.ts';
import type { LogLine } from '../../../local/lambda/log-lines.ts';
import { processStartTime } from '../../../local/process-identity.ts';

// Every test starts processes, and the machine may be busy with other tests.
jest.setTimeout(30_000);

export const arnOf = (name: string): string => `arn:aws:lambda:us-east-1:000000000000:function:${name}`;

/** A host in a temporary directory, with functions written on the fly. */
export class LambdaFixture {
  readonly root = mkdtempSync(join(tmpdir(), 'mainstay-lambda-'));
  readonly directory = join(this.root, 'state');
  readonly lines: LogLine[] = [];
  readonly reports: InvocationReport[] = [];
  readonly host: LambdaHost;
  #hosts: LambdaHost[] = [];
  #codes = 0;

  constructor(options: Partial<LambdaHostOptions> = {}) {
    this.host = this.another(options);
  }

  /** A further host over the same state, as after a restart. */
  another(options: Partial<LambdaHostOptions> = {}): LambdaHost {
    const host = new LambdaHost({
      directory: this.directory,
      logDirectory: join(this.root, 'logs'),
      region: 'us-east-1',
      credentials: {
        forRole: (roleArn) => ({
          accessKeyId: 'ASIAEXAMPLE',
          secretAccessKey: `secret of ${roleArn}`,
          sessionToken: 'token',
        }),
      },
      surroundings: () => ({
        endpointUrl: 'http://127.0.0.1:9',
        xrayDaemonAddress: '127.0.0.1:9',
        caCertificatesFile: undefined,
      }),
      onInvocation: (report) => this.reports.push(report),
      ...options,
    });
    host.onLogLine((line) => this.lines.push(line));
    this.#hosts.push(host);
    return host;
  }

  /** Writes a bundle; `code` is the text of `index.mjs`. */
  code(code: string, files: Readonly<Record<string, string>> = {}): string {
    this.#codes += 1;
    const directory = join(this.root, 'code', String(this.#codes));
    mkdirSync(directory, { recursive: true });
    for (const [name, text] of Object.entries({ 'index.mjs': code, ...files })) {
      writeFileSync(join(directory, name), text);
    }
    return directory;
  }

  definition(name: string, code: string, overrides: Partial<LambdaDefinition> = {}): LambdaDefinition {
    return {
      arn: arnOf(name),
      name,
      codeDirectory: this.code(code),
      handler: 'index.handler',
      memoryMiB: 256,
      timeoutSeconds: 10,
      environment: {},
      roleArn: `arn:aws:iam::000000000000:role/${name}`,
      ...overrides,
    };
  }

  async define(
    name: string,
    code: string,
    overrides: Partial<LambdaDefinition> = {},
  ): Promise<LambdaDefinition> {
    const definition = this.definition(name, code, overrides);
    await this.host.ensureFunction(definition);
    return definition;
  }

  /** Invokes and parses what comes back. */
  async call(name: string, event: unknown = {}): Promise<unknown> {
    const { payload = 'null' } = await this.host.invoke(name, JSON.stringify(event));
    return JSON.parse(payload);
  }

  textOf(name: string): string[] {
    return this.lines.filter(({ functionName }) => functionName === name).map(({ text }) => text);
  }

  async end(): Promise<void> {
    await Promise.all(this.#hosts.map((host) => host.stop()));
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** Waits until the condition holds. */
export async function until(condition: () => boolean | Promise<boolean>, timeoutMs = 20_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`Not within ${timeoutMs} ms: ${condition}`);
    await sleep(10);
  }
}

/** Whether a process runs; one that has ended and waits to be reaped does not. */
export async function isAlive(pid: number): Promise<boolean> {
  return (await processStartTime(pid)) !== undefined;
}

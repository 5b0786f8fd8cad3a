import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { isAlive, LambdaFixture, until } from './fixture.ts';

const fixture = new LambdaFixture();
afterAll(() => fixture.end());

/** A program that hosts one function, invokes it, and never ends by itself. */
function hostProgram(codeDirectory: string): string {
  const host = join(import.meta.dirname, '../../../local/lambda/host.ts');
  return `
    import { LambdaHost } from ${JSON.stringify(host)};
    const host = new LambdaHost({
      directory: ${JSON.stringify(fixture.directory)},
      logDirectory: ${JSON.stringify(join(fixture.root, 'logs'))},
      region: 'us-east-1',
      credentials: { forRole: () => ({ accessKeyId: 'a', secretAccessKey: 'b' }) },
      surroundings: () => ({ endpointUrl: 'http://127.0.0.1:9' }),
    });
    await host.start();
    const base = { codeDirectory: ${JSON.stringify(codeDirectory)}, handler: 'index.handler', memoryMiB: 512,
      timeoutSeconds: 900, environment: {}, roleArn: 'arn:aws:iam::000000000000:role/r' };
    const arn = 'arn:aws:lambda:us-east-1:000000000000:function:';
    for (const name of ['streaming', 'spinning', 'queued']) await host.ensureFunction({ ...base, name, arn: arn + name });
    for (const name of ['streaming', 'spinning']) void host.invoke(name, JSON.stringify({ name }));
    await host.invoke('queued', '{"name":"queued"}', { type: 'Event' });
    setInterval(() => {}, 1000);`;
}

/** Streams without a pause, spins without yielding, or waits. */
const busy = `
  import { appendFileSync } from 'node:fs';
  import { Readable, Writable } from 'node:stream';
  import { pipeline } from 'node:stream/promises';
  export const handler = async ({ name, file }) => {
    appendFileSync(process.env.TMPDIR + '/../../' + name, process.pid + '\\n');
    if (file) return 'done';
    if (name === 'spinning') for (;;) {}
    if (name === 'queued') await new Promise(() => setInterval(() => {}, 1000));
    const source = Readable.from((async function* () { for (;;) yield Buffer.alloc(1 << 20); })());
    await pipeline(source, new Writable({ write: (chunk, _, done) => setImmediate(done) }));
  };`;

function pidsOf(name: string): number[] {
  const file = join(fixture.directory, name);
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').map(Number) : [];
}

describe('a kill -9 of the host', () => {
  it('ends its functions, and what it had accepted runs after the next start', async () => {
    const codeDirectory = fixture.code(busy);
    const program = join(fixture.root, 'program.ts');
    writeFileSync(program, hostProgram(codeDirectory));
    const host = spawn(process.execPath, [program], { stdio: ['ignore', 'inherit', 'inherit'] });
    await until(() => ['streaming', 'spinning', 'queued'].every((name) => pidsOf(name).length === 1));
    const [streaming = 0, spinning = 0, queued = 0] = ['streaming', 'spinning', 'queued'].flatMap(pidsOf);
    await until(
      () =>
        readdirSync(join(fixture.directory, 'environments')).filter((name) => name.endsWith('.json'))
          .length === 3,
    );
    host.kill('SIGKILL');
    await until(async () => !(await isAlive(streaming)) && !(await isAlive(queued)));

    // One that never yields cannot see that its host is gone; the next start ends it.
    await fixture.host.start();
    await until(async () => !(await isAlive(spinning)));
    expect(readdirSync(join(fixture.directory, 'environments'))).toEqual([]);

    await fixture.define('queued', busy);
    await until(() => pidsOf('queued').length === 2);
  });
});

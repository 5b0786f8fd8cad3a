import { execFile } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const execute = promisify(execFile);

const script =
  'const started = performance.now(); await import(process.argv[1]); console.log(performance.now() - started);';

/**
 * How long a module takes to load in a new process, in milliseconds, with Node's own start not counted.
 *
 * @param environment all that the process knows, besides PATH.
 * @throws when the module does not load.
 */
export async function loadTime(file: string, environment: Readonly<Record<string, string>>): Promise<number> {
  const { stdout } = await execute(
    process.execPath,
    ['--enable-source-maps', '--input-type=module', '--eval', script, pathToFileURL(file).href],
    {
      env: {
        PATH: process.env.PATH,
        AWS_REGION: 'us-east-1',
        AWS_LAMBDA_FUNCTION_NAME: 'bench',
        ...environment,
      },
    },
  ).catch((error: Error) => {
    // Lines of a minified bundle come before what matters.
    const [reason = 'no reason given'] = /^\w*Error: .*$/m.exec(error.message.slice(-4000)) ?? [];
    throw new Error(`${file} does not load: ${reason}`);
  });
  const milliseconds = Number(stdout.trim().split('\n').at(-1));
  if (!Number.isFinite(milliseconds)) throw new Error(`${file} said: ${stdout}`);
  return milliseconds;
}

import { parseArgs } from 'node:util';

export const usage = `Usage: npm start -- [options]

Runs the synthesized app on this machine, with real PostgreSQL.

  --fresh                discard the state of earlier runs first
  --logs                 print the functions' log lines
  --port <number>        preferred port of the API (default 4580; a free one is taken when it is in use)
  --aws-port <number>    preferred port of the AWS endpoint (default 4566)
  --edge-port <number>   preferred port of the edge (default 4590)
  --state <directory>    where state is kept (default .mainstay)
  --shards <number>      how many shards, 1 to 8 (default: as the environment has them)
  --environment <name>   environment of cdk.json to run (default local)
  --assembly <directory> run this cloud assembly instead of synthesizing
  -c, --context <k=v>    context for the CDK app; may be repeated
  -h, --help             show this text
`;

export interface LocalOptions {
  fresh: boolean;
  logs: boolean;
  help: boolean;
  port: number;
  awsPort: number;
  edgePort: number;
  state: string;
  environment: string;
  /** How many shards, in place of what the environment has. */
  shards?: number;
  /** A synthesized assembly to run as it is. */
  assembly?: string;
  context: Record<string, unknown>;
}

/**
 * Reads the command line of `npm start`.
 *
 * @throws with a message for the user when an option is unknown or its value is out of range.
 */
export function parseOptions(args: readonly string[]): LocalOptions {
  const { values } = parseArgs({
    args: [...args],
    strict: true,
    options: {
      fresh: { type: 'boolean', default: false },
      logs: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
      port: { type: 'string', default: '4580' },
      'aws-port': { type: 'string', default: '4566' },
      'edge-port': { type: 'string', default: '4590' },
      state: { type: 'string', default: '.mainstay' },
      environment: { type: 'string', default: 'local' },
      shards: { type: 'string' },
      assembly: { type: 'string' },
      context: { type: 'string', short: 'c', multiple: true, default: [] },
    },
  });
  return {
    fresh: values.fresh,
    logs: values.logs,
    help: values.help,
    port: portOf('--port', values.port),
    awsPort: portOf('--aws-port', values['aws-port']),
    edgePort: portOf('--edge-port', values['edge-port']),
    state: values.state,
    environment: values.environment,
    ...(values.shards !== undefined && { shards: shardsOf(values.shards) }),
    ...(values.assembly !== undefined && { assembly: values.assembly }),
    context: Object.fromEntries(values.context.map(contextEntry)),
  };
}

function portOf(option: string, text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new Error(`${option} takes a port from 0 (any free one) to 65535, not ${text}.`);
  }
  return port;
}

function shardsOf(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > 8) {
    throw new Error(`--shards takes a number from 1 to 8, not ${text}.`);
  }
  return count;
}

function contextEntry(text: string): [string, unknown] {
  const at = text.indexOf('=');
  if (at < 1) throw new Error(`--context takes key=value, not ${text}.`);
  return [text.slice(0, at), text.slice(at + 1)];
}

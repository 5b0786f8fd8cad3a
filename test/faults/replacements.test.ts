import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { renderReference } from '../../lib/config/reference.ts';
import { root, synthesizeUnchecked } from '../lib/support.ts';

const zone = { id: 'Z0123456789EXAMPLE', name: 'example.com' };
const shard = { name: 'shard-a' };
const small = { region: 'eu-central-1', shards: [shard] };
/** All that may be configured differently later. */
const later = {
  ...small,
  profile: 'production',
  lambdaConcurrency: 500,
  shards: [{ ...shard, readers: 3, capacity: { minAcu: 2, maxAcu: 64 } }, { name: 'shard-b' }],
  network: { endpointZones: 2, flowLogs: 'ALL' },
  database: { pointInTimeDays: 35, insights: 'advanced', enhancedMonitoringSeconds: 30, slowQueryMs: 50 },
  backup: { objectLock: { mode: 'COMPLIANCE', days: 7 }, noncurrentVersionDays: 90, chunkConcurrency: 16 },
  api: { domain: { name: 'api.example.com', hostedZone: zone }, corsOrigins: ['https://www.example.com'] },
  alarms: { emails: ['ops@example.com'] },
  logs: { retentionDays: 365, archiveDays: 1000 },
  encryption: { rotationDays: 90 },
  edge: { domains: ['www.example.com'], hostedZone: zone },
  standby: { region: 'eu-west-1' },
};

/** The types of resources that CloudFormation would replace, by the CDK's own knowledge of each property. */
async function replaced(stack: 'Stateful' | 'Platform', from: unknown, to: unknown): Promise<string[]> {
  const directory = await mkdtemp(join(tmpdir(), 'mainstay-diff-'));
  try {
    const [before, after] = [from, to].map((settings) =>
      synthesizeUnchecked('dev', settings).stack(stack).template.toJSON(),
    );
    const name = `Mainstay-dev-${stack}`;
    await writeFile(join(directory, 'before.json'), JSON.stringify(before));
    await writeFile(join(directory, `${name}.template.json`), JSON.stringify(after));
    await writeFile(join(directory, 'manifest.json'), JSON.stringify(manifest(name)));
    const { stdout, stderr } = await promisify(execFile)(
      join(root, 'node_modules', '.bin', 'cdk'),
      [
        'diff',
        '--app',
        directory,
        '--template',
        join(directory, 'before.json'),
        '--no-color',
        '--no-notices',
        name,
      ],
      {
        cwd: root,
        env: { ...process.env, CDK_DISABLE_CLI_TELEMETRY: 'true' },
        maxBuffer: 50_000_000,
      },
    );
    const lines = `${stdout}\n${stderr}`.split('\n');
    expect(lines.filter((line) => line.startsWith('[~]')).length).toBeGreaterThan(0);
    return lines.flatMap((line) => /^\[~\] (\S+) .* (?:may be )?replaced?$/.exec(line)?.[1] ?? []);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function manifest(name: string) {
  return {
    version: '36.0.0',
    artifacts: {
      [name]: {
        type: 'aws:cloudformation:stack',
        environment: 'aws://unknown-account/eu-central-1',
        properties: { templateFile: `${name}.template.json`, stackName: name },
      },
    },
  };
}

describe('A change of settings', () => {
  it('replaces nothing that holds data: of the Stateful stack, the flow log alone', async () => {
    expect(await replaced('Stateful', small, later)).toEqual(['AWS::EC2::FlowLog']);
  }, 60_000);

  it('would replace a cluster whose database is renamed, and the setting says so', async () => {
    const renamed = { ...small, shards: [{ ...shard, database: 'other' }] };
    expect(await replaced('Stateful', small, renamed)).toContain('AWS::RDS::DBCluster');
    expect(renderReference()).toMatch(/`shards\[\]\.database`.*Never change it/);
  }, 60_000);
});

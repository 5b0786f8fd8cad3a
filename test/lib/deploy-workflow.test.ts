import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import * as z from 'zod';

const root = join(import.meta.dirname, '..', '..');

const read = (path: string) => readFileSync(join(root, path), 'utf8');

describe('The workflow that deploys', () => {
  const triggering = read('.github/workflows/deploy.yml');
  const deploying = read('.github/workflows/deploy-environment.yml');

  it('knows no long-lived key: it asks AWS for a role with a token of its own', () => {
    for (const workflow of [triggering, deploying]) {
      expect(workflow).not.toMatch(/secrets\.|aws-access-key-id|aws-secret-access-key/);
      expect(workflow).toMatch(/role-to-assume: \$\{\{ vars\.AWS_\w+_ROLE_ARN \}\}/);
    }
  });

  it('gives the token to single jobs, and lets none write to the repository', () => {
    for (const workflow of [triggering, deploying]) {
      expect(workflow).toMatch(/^permissions:\n {2}contents: read\n/m);
      expect(workflow).not.toMatch(/: write(?<!id-token: write)/);
    }
  });

  it('shows the difference on pull requests of the same repository alone', () => {
    const [, diff = ''] = /\n {2}diff:\n([\s\S]*?)\n {2}dev:\n/.exec(triggering) ?? [];
    expect(diff).toContain("github.event_name == 'pull_request'");
    expect(diff).toContain('github.event.pull_request.head.repo.full_name == github.repository');
    expect(diff).toContain('npx cdk diff');
    // The template method uses the role that reads; the others create change sets with the role that deploys.
    expect(diff).toContain('--method template');
    expect(triggering).not.toContain('pull_request_target');
  });

  it('deploys only what CI has passed on the main branch, or what a person chose', () => {
    expect(triggering).toContain("github.event.workflow_run.conclusion == 'success'");
    expect(triggering).toContain("github.event.workflow_run.event == 'push'");
    expect(triggering).toMatch(
      /workflow_run:\n {4}workflows: \[ci\]\n {4}types: \[completed\]\n {4}branches: \[main\]/,
    );
    expect(deploying).toContain('ref: ${{ github.event.workflow_run.head_sha || github.sha }}');
  });

  it('deploys one commit at a time to an environment, whose rules it obeys, and breaks none off', () => {
    expect(deploying).toContain('environment: ${{ inputs.environment }}');
    expect(deploying).toMatch(/group: deploy-\$\{\{ inputs\.environment \}\}\n {6}cancel-in-progress: false/);
  });

  it('lets no text from outside become part of a command', () => {
    for (const workflow of [triggering, deploying]) {
      const commands = workflow.match(/run: (?:[|>].*\n(?: {10,}.*\n)+|.*)/g) ?? [];
      expect(commands.length).toBeGreaterThan(0);
      expect(commands.filter((command) => command.includes('${{'))).toEqual([]);
    }
  });

  it('asks the deployment whether it is ready at the end', () => {
    expect(deploying.trimEnd()).toMatch(/run: \.ci\/smoke outputs\.json$/);
  });
});

const policySchema = z.object({
  Statement: z.tuple([
    z.object({
      Effect: z.literal('Allow'),
      Action: z.string(),
      Resource: z.array(z.string()).optional(),
      Condition: z.object({ StringEquals: z.record(z.string(), z.string()) }).optional(),
    }),
  ]),
});
const policy = (name: string) =>
  policySchema.parse(JSON.parse(read(`docs/operations/github/${name}.json`))).Statement[0];

describe('The roles for GitHub', () => {
  it.each([
    ['trust-deploy', 'repo:OWNER/REPOSITORY:environment:ENVIRONMENT'],
    ['trust-diff', 'repo:OWNER/REPOSITORY:pull_request'],
  ])('trust one repository and one use of it, without a pattern: %s', (name, subject) => {
    const { Action, Condition } = policy(name);
    expect(Action).toBe('sts:AssumeRoleWithWebIdentity');
    expect(Condition).toEqual({
      StringEquals: {
        'token.actions.githubusercontent.com:aud': 'sts.amazonaws.com',
        'token.actions.githubusercontent.com:sub': subject,
      },
    });
  });

  it('may do nothing but take roles of the bootstrap stack; for a difference, the one that reads', () => {
    const taken = (name: string) => {
      const { Action, Resource = [] } = policy(name);
      expect(Action).toBe('sts:AssumeRole');
      return Resource.map((arn) => /:role\/cdk-hnb659fds-([a-z-]+)-role-ACCOUNT-\*$/.exec(arn)?.[1]);
    };
    expect(taken('permissions-deploy')).toEqual(['deploy', 'file-publishing', 'lookup']);
    expect(taken('permissions-diff')).toEqual(['lookup']);
  });
});

describe('The smoke test', () => {
  it('waits until the deployment is ready', async () => {
    expect(await smoke([503, 503, 200], 3)).toMatchObject({ code: 0, asked: 3 });
  });

  it('fails when it does not become ready, and shows what it answers', async () => {
    const { code, asked, output } = await smoke([503, 503, 503], 2);
    expect({ code, asked }).toEqual({ code: 1, asked: 2 });
    expect(output).toContain('"status":503');
  });

  it('fails when the outputs name no API', async () => {
    expect(await smoke([200], 1, {})).toMatchObject({ code: 1, asked: 0 });
  });
});

/** Runs the script against a server that answers with these statuses in turn. */
async function smoke(statuses: number[], tries: number, outputs?: unknown) {
  let asked = 0;
  const server = createServer((request, response) => {
    const status = request.url === '/api/ready' ? (statuses[asked++] ?? 500) : 404;
    response.writeHead(status).end(JSON.stringify({ status }));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = z.object({ port: z.number() }).parse(server.address());
  const directory = await mkdtemp(join(tmpdir(), 'mainstay-smoke-'));
  try {
    const file = join(directory, 'outputs.json');
    const url = `http://127.0.0.1:${address.port}`;
    await writeFile(file, JSON.stringify(outputs ?? { Stateful: { Arn: 'x' }, Platform: { ApiUrl: url } }));
    const script = spawn(join(root, '.ci/smoke'), [file], {
      env: { ...process.env, SMOKE_TRIES: String(tries), SMOKE_DELAY: '0' },
    });
    let output = '';
    script.stdout.on('data', (data: Buffer) => {
      output += data.toString();
    });
    const [code]: unknown[] = await once(script, 'close');
    return { code, asked, output };
  } finally {
    server.closeAllConnections();
    server.close();
    await rm(directory, { recursive: true, force: true });
  }
}

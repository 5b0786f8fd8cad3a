import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';

const root = join(import.meta.dirname, '..', '..');
const operations = join(root, 'docs', 'operations');
const pages = readdirSync(operations).filter((name) => name.endsWith('.md'));
const read = (path: string) => readFileSync(path, 'utf8');

const commands = pages
  .flatMap((page) => [...read(join(operations, page)).matchAll(/```sh\n([\s\S]*?)```/g)])
  .flatMap(([, block = '']) => block.trimEnd().split('\n'));

describe('The operations pages', () => {
  it('are all in the index', () => {
    const index = read(join(operations, 'README.md'));
    for (const page of pages) if (page !== 'README.md') expect(index).toContain(`](${page})`);
  });

  it.each(['docs/operations', 'docs/runbooks', 'docs/adr', '.'])('lead to files that exist: %s', (folder) => {
    const directory = join(root, folder);
    for (const page of readdirSync(directory).filter((name) => name.endsWith('.md'))) {
      const links = [...read(join(directory, page)).matchAll(/\]\((?!https?:|#)([^)#]+)/g)];
      const broken = links.map(([, link = '']) => link).filter((link) => !existsSync(join(directory, link)));
      expect([page, broken]).toEqual([page, []]);
    }
  });

  it('name files that exist in their commands', () => {
    const named = commands.flatMap((command) => command.match(/(?:\.ci|docs|\.github)\/[\w./-]+\w/g) ?? []);
    expect(named.length).toBeGreaterThan(0);
    expect(
      named.filter((path) => !existsSync(join(root, path)) && !existsSync(dirname(join(root, path)))),
    ).toEqual([]);
  });

  it('ask of the CDK only what its CLI knows', async () => {
    const used = commands
      .map((command) => /^npx cdk ([a-z]+)(.*)/.exec(command))
      .filter((found) => found !== null)
      .map(([, name = '', rest = '']) => ({ name, options: rest.match(/--[a-z-]+/g) ?? [] }));
    expect(used.length).toBeGreaterThan(5);
    const check = async (name: string): Promise<string[]> => {
      const { stdout } = await promisify(execFile)(join(root, 'node_modules/.bin/cdk'), [name, '--help'], {
        cwd: root,
        env: { ...process.env, CDK_DISABLE_CLI_TELEMETRY: 'true' },
      });
      const known = new Set(stdout.match(/--[a-z-]+/g));
      const options = used.filter((command) => command.name === name).flatMap((command) => command.options);
      const unknown = options.filter((option) => !known.has(option.replace(/^--no-/, '--')));
      return unknown.map((option) => `cdk ${name} ${option}`);
    };
    const names = [...new Set(used.map(({ name }) => name))];
    expect((await Promise.all(names.map(check))).flat()).toEqual([]);
  }, 60_000);
});

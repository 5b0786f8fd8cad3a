import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { writeScript } from '../../bench/restore/texts.ts';

describe('a script for psql', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'mainstay-test-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it('holds the rows of each table between its statement and the end mark', async () => {
    const [one, two, script] = ['one', 'two', 'script'].map((name) => join(directory, name));
    if (one === undefined || two === undefined || script === undefined) throw new Error('No paths');
    await writeFile(one, '1\ta\n2\tb\n');
    await writeFile(two, '');
    await writeScript(script, [
      { sql: 'COPY s.one (id, name) FROM STDIN', path: one },
      { sql: 'COPY s.two (id) FROM STDIN', path: two },
    ]);
    expect(await readFile(script, 'utf8')).toBe(
      'COPY s.one (id, name) FROM STDIN;\n1\ta\n2\tb\n\\.\nCOPY s.two (id) FROM STDIN;\n\\.\n',
    );
  });
});

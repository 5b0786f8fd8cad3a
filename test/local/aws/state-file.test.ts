import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import { StateFile } from '../../../local/aws/state-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'mainstay-state-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const schema = z.object({ items: z.array(z.number()) });
const open = (path: string) => new StateFile(path, schema, { items: [] });

describe('a state file', () => {
  it('holds what was saved, for its owner only, and leaves nothing beside itself', async () => {
    const path = join(directory, 'below', 'state.json');
    const file = open(path);
    file.state.items.push(1);
    await file.save();
    expect(open(path).state).toEqual({ items: [1] });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(directory, 'below'))).toEqual(['state.json']);
  });

  it('has on disk what was changed before each save that resolved', async () => {
    const path = join(directory, 'many.json');
    const file = open(path);
    await Promise.all(
      Array.from({ length: 200 }, async (_, item) => {
        file.state.items.push(item);
        await file.save();
        expect(JSON.parse(readFileSync(path, 'utf8')).items).toContain(item);
      }),
    );
    expect(open(path).state.items).toHaveLength(200);
  });

  it('is not replaced when it cannot be read', () => {
    const path = join(directory, 'broken.json');
    for (const text of ['{"items":', '{"items":"none"}']) {
      writeFileSync(path, text);
      expect(() => open(path)).toThrow(`${path} is not a state file of this version`);
      expect(readFileSync(path, 'utf8')).toBe(text);
    }
  });

  it('goes on after a write that failed', async () => {
    const file = open(join(directory, 'broken.json', 'state.json'));
    await expect(file.save()).rejects.toThrow();
    rmSync(join(directory, 'broken.json'));
    await file.save();
    expect(open(file.path).state).toEqual({ items: [] });
  });
});

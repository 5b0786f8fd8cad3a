import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { importsOf } from '../../bench/load/imports.ts';
import { sampleEnvironment } from '../../bench/load/sample-environment.ts';
import { contracts } from '../../functions/contracts.ts';

describe('what a bundle imports', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'mainstay-test-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it('is what its own sources name, of the packages that are in it', async () => {
    const map = join(directory, 'index.mjs.map');
    const sources = [
      '../../functions/shared/clients.ts',
      '../../node_modules/@aws-sdk/client-s3/dist-es/S3Client.js',
      '../../node_modules/@aws-sdk/core/dist-es/index.js',
    ];
    await writeFile(map, JSON.stringify({ version: 3, sources, mappings: '' }));
    const imports = await importsOf(map);
    expect([...imports.keys()]).toEqual(['@aws-sdk/client-s3']);
    expect([...(imports.get('@aws-sdk/client-s3') ?? [])]).toEqual(['S3Client']);
  });
});

describe('the environment of a function whose module is loaded', () => {
  it('can be made up for every function', () => {
    for (const { functions } of contracts) {
      for (const { environment } of Object.values(functions)) {
        expect(environment.safeParse(sampleEnvironment(environment)).error).toBeUndefined();
      }
    }
  });
});

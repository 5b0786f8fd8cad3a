import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import { referenceContract } from '../../functions/reference/contract.ts';
import { defineContract } from '../../functions/shared/contract.ts';
import { BundleError, bundleFunctions } from '../../lib/constructs/bundle.ts';

describe('Bundling', () => {
  const bundles = bundleFunctions([referenceContract]);
  const directory = bundles.directory('reference', 'api');

  it('puts a module, its source map and the files of the contract side by side', () => {
    expect(readdirSync(directory).sort()).toEqual([
      'favicon-32x32.png',
      'index.mjs',
      'index.mjs.map',
      'swagger-ui-bundle.js',
      'swagger-ui.css',
    ]);
  });

  it('makes a module that Lambda can load, with a linked map that does not repeat the sources', () => {
    const code = readFileSync(join(directory, 'index.mjs'), 'utf8');
    expect(code).toMatch(/export\s*\{[^}]*\bas handler\b/);
    expect(code.trimEnd()).toMatch(/\/\/# sourceMappingURL=index\.mjs\.map$/);
    const map = z
      .object({ sources: z.array(z.string()), sourcesContent: z.unknown().optional() })
      .parse(JSON.parse(readFileSync(join(directory, 'index.mjs.map'), 'utf8')));
    expect(map.sources.length).toBeGreaterThan(0);
    expect(map.sourcesContent ?? []).toEqual([]);
  });

  it('does nothing when nothing has changed', () => {
    const written = () => statSync(join(directory, 'index.mjs')).mtimeMs;
    const before = written();
    expect(bundleFunctions([referenceContract]).directory('reference', 'api')).toBe(directory);
    expect(written()).toBe(before);
  });

  it('names the code of a capability the same as long as it is the same', () => {
    const again = bundleFunctions([referenceContract]);
    expect(again.revisionOf('reference')).toBe(bundles.revisionOf('reference'));
    expect(bundles.revisionOf('reference')).toMatch(/^[0-9a-f]{16}$/);
  });

  it('says which entry points, workers and files are missing', () => {
    const broken = defineContract({
      name: 'reference',
      title: 'Broken',
      description: '',
      routes: {},
      functions: { absent: { environment: z.object({}), workers: ['gone'] } },
    });
    let failure: unknown;
    try {
      bundleFunctions([broken]);
    } catch (error) {
      failure = error;
    }
    expect(failure).toBeInstanceOf(BundleError);
    expect(String(failure)).toMatch(/functions\/reference\/absent\.ts.*\n.*functions\/reference\/gone\.ts/);
    const withoutFile = {
      ...broken,
      functions: { api: { environment: z.object({}), files: ['no-such/file.wasm'] } },
    };
    expect(() => bundleFunctions([withoutFile])).toThrow('no-such/file.wasm');
  });

  it('leaves nothing behind when it fails', () => {
    const cache = join(directory, '..', '..', '..');
    expect(existsSync(cache)).toBe(true);
    expect(readdirSync(cache).filter((name) => name.startsWith(`building-${process.pid}-`))).toEqual([]);
  });
});

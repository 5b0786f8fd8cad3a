import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import * as z from 'zod';

const mapSchema = z.object({ sources: z.array(z.string()) });
const projectDirectory = resolve(import.meta.dirname, '../..');

/** Names that a bundle's own sources import from packages, by package; `default` for a default import. */
export type Imports = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * Finds out from a bundle's source map which packages it holds, and from the project's sources in it what they import
 * from these by name. Packages that only other packages import are not in the result.
 */
export async function importsOf(mapFile: string): Promise<Imports> {
  const { sources } = mapSchema.parse(JSON.parse(await readFile(mapFile, 'utf8')));
  const imports = new Map<string, Set<string>>();
  for (const source of sources) {
    const [, own] = /(?:^|\/)(functions\/[^:]+\.ts)$/.exec(source) ?? [];
    if (own === undefined || source.includes('node_modules/')) continue;
    for (const [name, symbols] of importsIn(await readFile(join(projectDirectory, own), 'utf8'))) {
      // What esbuild has found to be unused is not in the bundle.
      if (!sources.some((other) => other.includes(`node_modules/${packageOf(name)}/`))) continue;
      imports.set(name, new Set([...(imports.get(name) ?? []), ...symbols]));
    }
  }
  return imports;
}

const statement = /^import (?!type )([^;]*?) from '([^'.][^']*)';/gms;

function importsIn(text: string): [string, string[]][] {
  return [...text.matchAll(statement)]
    .filter(([, , module = '']) => !module.startsWith('node:'))
    .map(([, clause = '', module = '']) => [module, symbolsOf(clause)]);
}

function symbolsOf(clause: string): string[] {
  const [, before = '', inBraces = ''] = /^([^{]*)(?:\{(.*)\})?$/s.exec(clause) ?? [];
  const named = inBraces
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '' && !part.startsWith('type '))
    .map((part) => part.split(' as ')[0] ?? part);
  const other = before.replace(/,\s*$/, '').trim();
  return other === '' ? named : [...named, other.startsWith('*') ? '*' : 'default'];
}

const packageOf = (module: string): string => module.split('/', module.startsWith('@') ? 2 : 1).join('/');

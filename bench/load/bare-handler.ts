import { join } from 'node:path';
import { build } from 'esbuild';
import { bundleOptions } from '../measure/bundle.ts';
import type { Imports } from './imports.ts';

/**
 * Bundles a handler that does nothing, but imports what it is told by name, and makes the clients of the AWS SDK as
 * handlers do: when the module is loaded. It is bundled and minified as functions are.
 *
 * @returns the bundle's path.
 */
export async function buildBareHandler(directory: string, name: string, imports: Imports): Promise<string> {
  const lines: string[] = [];
  const used: string[] = [];
  for (const [index, [module, symbols]] of [...imports].entries()) {
    for (const symbol of symbols) {
      const local = `${symbol.replace(/\W/, 'all')}_${index}`;
      const clause =
        symbol === '*' ? `* as ${local}` : symbol === 'default' ? local : `{ ${symbol} as ${local} }`;
      lines.push(`import ${clause} from '${module}';`);
      const isClient = module.startsWith('@aws-sdk/client-') && symbol.endsWith('Client');
      used.push(isClient ? `new ${local}({})` : local);
    }
  }
  const outfile = join(directory, `${name}.mjs`);
  await build({
    ...bundleOptions,
    stdin: {
      contents: [
        ...lines,
        `const used = [${used.join(', ')}];`,
        'export const handler = async () => used;',
      ].join('\n'),
      resolveDir: import.meta.dirname,
    },
    outfile,
    sourcemap: 'linked',
    sourcesContent: false,
  });
  return outfile;
}

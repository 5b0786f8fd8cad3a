import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { loadConfig } from '../config/config.ts';
import { renderCosts } from './page.ts';

const root = dirname(dirname(import.meta.dirname));
const { context } = z
  .object({ context: z.object({ mainstay: z.unknown() }) })
  .parse(JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8')));
const page = renderCosts({
  dev: loadConfig('dev', context.mainstay),
  production: loadConfig('production', context.mainstay),
});
writeFileSync(join(root, 'docs', 'operations', 'costs.md'), page);

import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { renderCosts } from './page.ts';

const root = dirname(dirname(import.meta.dirname));
writeFileSync(join(root, 'docs', 'operations', 'costs.md'), renderCosts());

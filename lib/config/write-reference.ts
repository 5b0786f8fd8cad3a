import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { renderReference } from './reference.ts';

const root = dirname(dirname(import.meta.dirname));
writeFileSync(join(root, 'docs', 'operations', 'configuration.md'), renderReference());

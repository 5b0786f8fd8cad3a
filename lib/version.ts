import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as z from 'zod';

const file = join(dirname(import.meta.dirname), 'package.json');

/** The version of Mainstay that is deployed, as package.json states it. */
export const { version } = z
  .object({ version: z.string().min(1) })
  .parse(JSON.parse(readFileSync(file, 'utf8')));

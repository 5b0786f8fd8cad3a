import * as z from 'zod';
import { capabilities, type Scope } from '../../shared/contract.ts';

const scopes: readonly Scope[] = [
  'admin',
  'ingest',
  ...capabilities.flatMap((name): Scope[] => [`${name}:read`, `${name}:write`]),
];

/** What a key can be allowed. */
export const scopeSchema = z.enum(scopes).meta({
  title: 'Scope',
  description: '`admin` includes all others, `<capability>:write` includes `<capability>:read`.',
});

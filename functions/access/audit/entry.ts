import { redact } from '../../shared/redact.ts';
import type { EntryContent } from './model.ts';

/** What is to be kept of a change, or of a refused credential. */
export interface AuditEntry {
  /** RFC 3339 in UTC. */
  readonly at: string;
  readonly actor: {
    readonly keyId?: string | undefined;
    readonly name?: string | undefined;
    readonly tenant?: string | undefined;
  };
  /** The route (`POST /api/…`), or a name such as `credential.refused`. */
  readonly action: string;
  /** A path; a query string is left out. */
  readonly target: string;
  readonly sourceIp: string;
  readonly outcome: EntryContent['outcome'];
  /** Of the answer. */
  readonly status: number;
  readonly traceId: string;
}

const lengths = { keyId: 64, name: 200, tenant: 63, action: 200, target: 1_000, sourceIp: 64, traceId: 64 };
type Member = keyof typeof lengths;

/** The entry with every text cut to its greatest length, without control characters and without anything that looks secret. */
export function boundEntry(
  entry: AuditEntry,
): Omit<EntryContent, 'day' | 'lane' | 'sequence' | 'previous' | 'id'> {
  const { at, actor, action, target, sourceIp, outcome, status, traceId } = entry;
  const member = (name: 'keyId' | 'name' | 'tenant') =>
    actor[name] === undefined ? {} : { [name]: text(name, actor[name]) };
  const [path = ''] = target.split(/[?#]/, 1);
  return {
    at: new Date(at).toISOString(),
    actor: { ...member('keyId'), ...member('name'), ...member('tenant') },
    action: text('action', action),
    target: text('target', path),
    sourceIp: text('sourceIp', sourceIp),
    outcome,
    status,
    traceId: text('traceId', traceId),
  };
}

/** So that every tool writes it as JSON in the same way, and no line of an export breaks. */
const text = (name: Member, value: string): string =>
  redact(value)
    .replace(/[\p{Cc}\u2028\u2029]/gu, '\ufffd')
    .slice(0, lengths[name])
    .toWellFormed();

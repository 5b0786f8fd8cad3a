import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { type AuditFinding, auditEntrySchema, type ChainedEntry, type EntryContent } from './model.ts';

const maximumFindings = 10;
const sequenceDigits = 12;

export const sha256Of = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex');

/** SHA-256 of a value's canonical JSON (RFC 8785), hex. */
export function hashOf(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('The value has no JSON form');
  return sha256Of(text);
}

/** What the first entry of a chain follows: the hash of a label that no other chain has. */
export const chainStart = (day: string, lane: number): string => sha256Of(`mainstay:audit:v1:${day}:${lane}`);

/** The entry with the hash by which the next one names it. */
export const linkEntry = (content: EntryContent): ChainedEntry => ({ ...content, hash: hashOf(content) });

/** The sort key of an entry: sequence numbers in the order of texts. */
export const sequenceKey = (sequence: number): string => String(sequence).padStart(sequenceDigits, '0');

/** An item of a chain as it was found in the table. */
export interface ChainItem {
  readonly key: string;
  readonly entry: unknown;
}

/** How a chain ought to end, from its seal. */
export interface ChainEnd {
  readonly entries: number;
  readonly head: string;
}

/** A chain as it was found. */
export interface ChainState extends ChainEnd {
  readonly day: string;
  readonly lane: number;
  /** How many items there are. */
  readonly items: number;
  /** All, however many are listed. */
  readonly findingCount: number;
  /** The first ten. */
  readonly findings: readonly Finding[];
}
type Finding = Pick<AuditFinding, 'sequence' | 'problem'>;

/**
 * Follows a chain from its start, and on over whatever is wrong with it: entries that are not what their hash says, that do
 * not follow the one before, or are not there. With the seal of the chain, also whether it ends as it did then.
 */
export async function followChain(
  day: string,
  lane: number,
  items: AsyncIterable<ChainItem> | Iterable<ChainItem>,
  seal?: ChainEnd,
): Promise<ChainState> {
  const findings: Finding[] = [];
  let findingCount = 0;
  let count = 0;
  let sequence = 0;
  const start = chainStart(day, lane);
  let head: string | undefined = start;
  let headWhenSealed: string | undefined = start;
  const find = (problem: Finding['problem'], at: number) => {
    findingCount++;
    if (findings.length < maximumFindings) findings.push({ sequence: at, problem });
  };

  for await (const { key, entry: stored } of items) {
    count++;
    const at = sequenceOf(key);
    if (at === undefined) {
      find('unreadable', sequence + 1);
      continue;
    }
    if (at > sequence + 1) {
      find('missing', sequence + 1);
      head = undefined;
    }
    sequence = at;
    const parsed = auditEntrySchema.safeParse(stored);
    if (parsed.success) {
      const { hash, ...content } = parsed.data;
      const inPlace = content.day === day && content.lane === lane && content.sequence === at;
      if (!inPlace || hashOf(content) !== hash) find('changed', at);
      else if (head !== undefined && content.previous !== head) find('unlinked', at);
      head = hash;
    } else {
      find('unreadable', at);
      head = undefined;
    }
    if (seal !== undefined && sequence <= seal.entries) headWhenSealed = head;
  }

  if (seal !== undefined) {
    if (sequence < seal.entries) find('cut-off', sequence + 1);
    else if (headWhenSealed !== seal.head) find('not-as-sealed', seal.entries);
    if (sequence > seal.entries) find('added-after-seal', seal.entries + 1);
  }
  return { day, lane, items: count, entries: sequence, head: head ?? start, findings, findingCount };
}

function sequenceOf(key: string): number | undefined {
  const sequence = /^\d{12}$/.test(key) ? Number(key) : 0;
  return sequence > 0 ? sequence : undefined;
}

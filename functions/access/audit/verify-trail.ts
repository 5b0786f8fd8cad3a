import type { AuditReader } from './audit-reader.ts';
import { type ChainState, followChain, hashOf } from './chain.ts';
import { dayAfter, dayOf, lanes } from './days.ts';
import type { AuditFinding, AuditVerification, Seal } from './model.ts';
import { type Chain, type SealDependencies, SealedChains, sealChains } from './seal-chains.ts';
import type { SealMac } from './seal-mac.ts';
import { sealContentOf } from './seals.ts';

/** How many days are read again each time, where they are kept for so long. */
export const verifiedDays = 30;
const maximumFindings = 100;
/** Kept back to seal and to end in order. */
const endMs = 20_000;

export interface VerifyTrailDependencies extends SealDependencies {
  readonly reader: AuditReader;
  /** Milliseconds until this invocation ends. */
  readonly remainingMs: () => number;
}

/**
 * Reads every chain of the last days again, up to yesterday's, compares it with its seal, and seals what has none yet. Chains
 * without a seal come first, then the newest. Each finding is an error in the log; the seals are in the log as well, where
 * nobody who can write to the table can change them.
 */
export async function verifyTrail(deps: VerifyTrailDependencies): Promise<AuditVerification> {
  const { now, retentionDays, log } = deps;
  const at = now();
  const today = dayOf(at);
  const to = dayAfter(today, -1);
  const from = dayAfter(today, -Math.min(verifiedDays, retentionDays));
  const known = new SealedChains(await deps.seals.since(from));
  const chains = chainsOf(from, to, known);

  const findings: AuditFinding[] = [];
  const broken = new Set<Chain>();
  const states = new Map<Chain, ChainState>();
  for (const chain of chains) {
    if (deps.remainingMs() < endMs) break;
    const state = await followChain(
      chain.day,
      chain.lane,
      deps.reader.chain(chain.day, chain.lane),
      chain.seal,
    );
    states.set(chain, state);
    const found = [
      ...findingsOf(state, chain.seal),
      ...(await sealFindings(deps.mac, known, chain, state, from)),
    ];
    if (found.some((finding) => !finding.known)) broken.add(chain);
    findings.push(...found);
  }

  const { sealed: chainsSealed, unsealable } = await sealChains(deps, known, states);
  for (const chain of unsealable) {
    const { day, lane } = chain;
    findings.push({ day, lane, sequence: 0, problem: 'seal-changed', known: false });
    broken.add(chain);
  }
  const shown = findings.toSorted((a, b) => Number(a.known) - Number(b.known)).slice(0, maximumFindings);
  for (const finding of shown) log.error('The audit trail is not as it was written', { finding });
  const result = {
    at: new Date(at).toISOString(),
    from,
    to,
    entriesVerified: [...states.values()].reduce((sum, { items }) => sum + items, 0),
    chainsVerified: states.size,
    chainsUnverified: chains.length - states.size,
    chainsBroken: broken.size,
    chainsSealed,
    findings: shown,
  };
  if (result.chainsUnverified > 0) {
    log.error('There was no time to verify the whole audit trail', { chains: result.chainsUnverified });
  }
  await deps.seals.addVerification(result, retentionDays);
  return result;
}

function chainsOf(from: string, to: string, known: SealedChains): Chain[] {
  const days: string[] = [];
  for (let day = from; day <= to; day = dayAfter(day)) days.push(day);
  const all = days.flatMap((day) => lanes.map((lane) => ({ day, lane, seal: known.find(day, lane) })));
  return [
    ...all.filter(({ seal }) => seal === undefined),
    ...all.filter(({ seal }) => seal !== undefined).reverse(),
  ];
}

function findingsOf(
  { day, lane, findings, findingCount }: ChainState,
  seal: Seal | undefined,
): AuditFinding[] {
  const known = seal !== undefined && seal.findings > 0 && findingCount === seal.findings;
  return findings.map((finding) => ({ day, lane, ...finding, known }));
}

/** Whether the seal is genuine and follows that of the day before; where there is none, whether there has been one. */
async function sealFindings(
  mac: SealMac,
  known: SealedChains,
  { day, lane, seal }: Chain,
  { items }: ChainState,
  from: string,
): Promise<AuditFinding[]> {
  const finding = (problem: AuditFinding['problem'], of = day): AuditFinding[] => [
    { day: of, lane, sequence: 0, problem, known: false },
  ];
  if (seal === undefined) {
    const later = known.latest(lane);
    return items > 0 && later !== undefined && later.day > day ? finding('seal-missing') : [];
  }
  if (!(await mac.isRight(sealContentOf(seal), seal.mac))) return finding('seal-changed');
  const dayBefore = dayAfter(day, -1);
  if (seal.previous === null || dayBefore < from) return [];
  const before = known.find(dayBefore, lane);
  const follows = before !== undefined && hashOf(sealContentOf(before)) === seal.previous;
  return follows ? [] : finding('seal-missing', dayBefore);
}

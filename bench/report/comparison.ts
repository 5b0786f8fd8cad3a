import { formatBytes } from '../../cli/units.ts';
import type { Measurement } from '../backup/candidate.ts';

/** Better by less than this is no difference on a machine that does other things as well. */
const noise = 1.03;

/** In what a peer was better than us, in words; empty when in nothing. */
export function betterIn(peer: Measurement, ours: Measurement): string[] {
  const better: string[] = [];
  if (ours.seconds > peer.seconds * noise)
    better.push(`it is ${ratio(ours.seconds / peer.seconds)}× as fast`);
  if (ours.cpuSeconds > peer.cpuSeconds * noise) {
    better.push(`takes ${ratio(peer.cpuSeconds / ours.cpuSeconds)} of the CPU time`);
  }
  return [
    ...better,
    ...fewerBytes('has in memory', peer.peakRssBytes, ours.peakRssBytes),
    ...fewerBytes('stores', peer.storedBytes, ours.storedBytes),
  ];
}

function fewerBytes(verb: string, peer: number | undefined, ours: number | undefined): string[] {
  if (peer === undefined || ours === undefined || ours <= peer * noise) return [];
  return [`${verb} ${formatBytes(peer)} instead of ${formatBytes(ours)}`];
}

/** Says whether an aim was met: `0.80× the speed of …; the aim, at least 0.75×, is met.` */
export function aim(what: string, share: number, wanted: number, bound: 'least' | 'most'): string {
  const met = bound === 'least' ? share >= wanted : share <= wanted;
  return `${ratio(share)}× the ${what}; the aim, at ${bound} ${ratio(wanted)}×, is ${met ? 'met' : 'missed'}.`;
}

export const ratio = (value: number): string => value.toFixed(2);
export const connectionsOf = (lanes: number): string => `${lanes} connection${lanes === 1 ? '' : 's'}`;

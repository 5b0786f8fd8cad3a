import type * as z from 'zod';

interface Regions {
  region?: string | undefined;
  edge?: unknown;
  standby?: { region: string; keepDays: number } | undefined;
  backup: { objectLock?: { days: number } | undefined };
}

/** Refuses regions that contradict each other: values cross regions only between stacks that name theirs. */
export function checkRegions({ region, edge, standby, backup }: Regions, context: z.RefinementCtx): void {
  const refuse = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
  if (edge !== undefined && region === undefined) {
    refuse(['edge'], 'reads values of another region: set region as well');
  }
  if (standby === undefined) return;
  if (region === undefined)
    refuse(['standby', 'region'], 'needs a first region beside it: set region as well');
  if (region === standby.region) refuse(['standby', 'region'], `is the first region, ${region}, already`);
  const locked = backup.objectLock?.days ?? 0;
  if (standby.keepDays < locked) {
    refuse(['standby', 'keepDays'], `copies are locked for ${locked} days, like their originals`);
  }
}

/** Errors of the drill workflow that stand for those of what it has run, whose record says more. */
export const nestedErrors = {
  restore: 'DrillRestoreFailed',
  verification: 'DrillVerificationFailed',
} as const;

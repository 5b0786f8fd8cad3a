const dayMs = 24 * 60 * 60 * 1000;

/** When S3 removes what is written to `scratch/` now: a day later, at the midnight (UTC) that follows. */
export const scratchExpiry = (now: number): number => Math.ceil((now + dayMs) / dayMs) * dayMs;

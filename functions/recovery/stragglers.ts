/** An invocation that outlived its backup may store something for as long as a function can run. */
const stragglerMs = 16 * 60_000;

/** Until when something may still be stored of a backup that ended at `endedAt`; milliseconds since the epoch. */
export const stragglersUntil = (endedAt: number): number => endedAt + stragglerMs;

const daySeconds = 24 * 60 * 60;

/** Working records are of no use once their work has ended; a month leaves time to look into a failure. */
export const workingRecordDays = 30;

/**
 * When DynamoDB may remove an item that is of use for so many days, in Unix seconds.
 *
 * @param now milliseconds since the epoch.
 */
export const keptFor = (days: number, now: number): number => Math.floor(now / 1000) + days * daySeconds;

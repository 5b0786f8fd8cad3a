/** The partition key of the item that says when somebody last asked for metrics. */
export const askedKey = 'ASKED';

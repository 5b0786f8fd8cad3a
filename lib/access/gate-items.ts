/**
 * Partition keys of the items that every gate writes in the table of limits: counters, when a key was last used, who was
 * refused. The lists of addresses are beside them, and are no gate's to change.
 */
export const gateItems = ['COUNT#*', 'KEY#*', 'REFUSED#*'] as const;

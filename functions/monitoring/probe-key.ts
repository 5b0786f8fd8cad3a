/** The key of an item that no table has: the function that probes them may ask for no other. */
export const probeKey = { pk: 'READY', sk: 'READY' };

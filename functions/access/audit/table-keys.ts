import type { EntryContent } from './model.ts';

/** Where things are in the table of the audit trail. */
export const chainPartition = (day: string, lane: number): string => `AUDIT#${day}#${lane}`;
export const sealPartition = 'SEAL';
export const verificationPartition = 'VERIFICATION';

/** By the time of an entry, whatever chain it is in. */
export const timePartition = (day: string): string => `AUDIT#${day}`;
export const indexKeys = ({ at, id }: Pick<EntryContent, 'at' | 'id'>) => ({
  gsi1pk: timePartition(at.slice(0, 10)),
  gsi1sk: `${at}#${id}`,
});

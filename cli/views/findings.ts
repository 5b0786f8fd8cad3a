import type { Operation } from '../../functions/recovery/model.ts';
import { styleFor, type TextOutput } from '../terminal.ts';

/** What a verification found, three lines for each object. */
export function findingsText({ findings, findingsTotal, backupId }: Operation, output: TextOutput): string {
  const style = styleFor(output);
  const lines = findings.flatMap(({ object, problem, relation, detail }) => [
    `    ${shortKey(object, backupId ?? '')}`,
    `    ${style('red', problem)}${relation === null ? '' : `, rows of ${relation}`}`,
    `    ${style('dim', detail)}`,
  ]);
  const more = findingsTotal - findings.length;
  return [...lines, ...(more > 0 ? [`    and ${more} more`] : [])].join('\n');
}

/** An object's key without what all objects of the backup have in common. */
export function shortKey(key: string, backupId: string): string {
  return key.replace(`backups/${backupId}/`, '');
}
